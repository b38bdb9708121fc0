// `import Scanning` is all a user of the library needs: this module holds the types it hands out.
@_exported public import Pickle
