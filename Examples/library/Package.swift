// swift-tools-version: 6.2
import PackageDescription

// A program of its own that uses the library. Elsewhere the dependency is
//   .package(url: "https://example.org/ckptconv.git", from: "0.2.0")
let package = Package(
  name: "tensors",
  dependencies: [.package(name: "ckptconv", path: "../..")],
  targets: [
    // Names that any package may have: the library's modules take none of them.
    .target(name: "Zip"),
    .target(name: "JSON"),
    .executableTarget(
      name: "Tensors",
      dependencies: [
        "Zip", "JSON", .product(name: "CkptConverter", package: "ckptconv"),
      ]),
  ]
)
