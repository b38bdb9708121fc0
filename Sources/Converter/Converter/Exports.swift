// Differences are part of what verifications report.
@_exported public import Comparison
