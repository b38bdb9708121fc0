// Differences are part of what verifications report.
@_exported public import Comparison
// What a conversion may use of the machine is its caller's to say.
@_exported public import struct Plan.CopyBudget
