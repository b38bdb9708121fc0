// `import Formats` is all a user of the library needs: these modules hold the types it hands out.
@_exported public import Bytes
@_exported public import Graph
@_exported public import Plan
@_exported public import Safetensors
@_exported public import Torch
