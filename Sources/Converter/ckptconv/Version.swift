/// The version of the program, which follows semantic versioning.
enum Version {
  static let current = "0.1.0"
}
