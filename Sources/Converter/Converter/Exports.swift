// `import CkptConverter` is all a user of the library needs: these modules hold the types it hands
// out, and this file is the list of them.
@_exported public import CkptCheck
@_exported public import CkptCheckpoints
@_exported public import CkptCompare
@_exported public import CkptConvert
@_exported public import struct CkptCopy.CopyBudget
@_exported public import CkptFormats
@_exported public import CkptHuggingFace
@_exported public import CkptInspect
@_exported public import CkptModels
@_exported public import CkptReshard
@_exported public import CkptScan
