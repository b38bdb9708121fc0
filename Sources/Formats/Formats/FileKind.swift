/// What a file is, judged by its content; names and suffixes mean nothing.
package enum FileKind: Hashable, Sendable {
  /// A ZIP archive; whether `torch.save` wrote it is for its entries to tell.
  case zip
  /// The stack of pickles that `torch.save` wrote before PyTorch 1.6.
  case legacyTorch
  /// A safetensors file, perhaps a damaged one.
  case safetensors

  /// A ZIP archive whose end is missing.
  case truncatedZip
  /// A pickle that `torch.save` did not write.
  case pickle
  /// A tar archive.
  case tar
  /// A compressed file or another archive, by the name of its format and a program that opens it.
  case compressed(format: String, opener: String)
  /// A file of another program that holds tensors, by the name of its format.
  case foreign(format: String)
  /// A web page.
  case html
  /// What an object store answers instead of a file, with its error code where there is one.
  case storageError(code: String?)
  /// The stand-in for a file that git-lfs has not fetched.
  case gitLFSPointer(GitLFSPointer)
  /// JSON text.
  case json
  /// Other text, such as YAML.
  case text
  /// No bytes at all.
  case empty
  /// Zero bytes, as many as were looked at.
  case zeros(count: Int)
  /// Something else, by its first bytes.
  case unknown(leading: [UInt8])
}
