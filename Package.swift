// swift-tools-version: 6.2
import PackageDescription

/// The modules in the order a checkpoint's bytes climb: each imports only modules listed above it.
///
/// SwiftPM lets a target import what its dependencies import; `make lint` holds the sources to this
/// table instead.
let package = Package(
  name: "ckptconv",
  products: [
    .library(name: "Formats", targets: ["Formats"]),
    .library(name: "Converter", targets: ["Converter"]),
    .executable(name: "ckptconv", targets: ["ckptconv"]),
  ],
  targets: [
    .systemLibrary(
      name: "CZlib", path: "Sources/Formats/CZlib", pkgConfig: "zlib",
      providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
    .systemLibrary(
      name: "CDeflate", path: "Sources/Formats/CDeflate", pkgConfig: "libdeflate",
      providers: [.apt(["libdeflate-dev"]), .brew(["libdeflate"])]),
    .systemLibrary(
      name: "CNettle", path: "Sources/Formats/CNettle", pkgConfig: "nettle",
      providers: [.apt(["nettle-dev"]), .brew(["nettle"])]),
    .systemLibrary(
      name: "CYAML", path: "Sources/Formats/CYAML", pkgConfig: "yaml-0.1",
      providers: [.apt(["libyaml-dev"]), .brew(["libyaml"])]),
    .systemLibrary(name: "CSystem", path: "Sources/Formats/CSystem"),
    .target(name: "Bytes", dependencies: ["CSystem"], path: "Sources/Formats/Bytes"),
    .target(name: "JSON", dependencies: ["Bytes"], path: "Sources/Formats/JSON"),
    .target(name: "YAML", dependencies: ["Bytes", "CYAML"], path: "Sources/Formats/YAML"),
    .target(
      name: "Codecs", dependencies: ["Bytes", "CZlib", "CDeflate", "CNettle"],
      path: "Sources/Formats/Codecs"),
    .target(name: "Graph", dependencies: ["Bytes"], path: "Sources/Formats/Graph"),
    .target(name: "Pickle", dependencies: ["Bytes", "Graph"], path: "Sources/Formats/Pickle"),
    .target(
      name: "Plan", dependencies: ["Bytes", "Codecs", "Graph"], path: "Sources/Formats/Plan"),
    .target(
      name: "Zip", dependencies: ["Bytes", "Codecs", "Graph", "Plan"], path: "Sources/Formats/Zip"),
    .target(
      name: "Torch", dependencies: ["Bytes", "Codecs", "Graph", "Pickle", "Plan", "Zip"],
      path: "Sources/Formats/Torch"),
    .target(
      name: "Safetensors", dependencies: ["Bytes", "JSON", "Graph", "Pickle", "Plan", "Torch"],
      path: "Sources/Formats/Safetensors"),
    .target(
      name: "Comparison", dependencies: ["Bytes", "Graph", "Plan", "Safetensors"],
      path: "Sources/Formats/Comparison"),
    .target(
      name: "Formats",
      dependencies: ["Bytes", "JSON", "Graph", "Pickle", "Plan", "Zip", "Torch", "Safetensors"],
      path: "Sources/Formats/Formats"),
    .target(
      name: "Scanning",
      dependencies: ["Bytes", "JSON", "Graph", "Pickle", "Zip", "Safetensors", "Formats"],
      path: "Sources/Formats/Scanning"),
    .target(
      name: "Configs", dependencies: ["Bytes", "JSON", "YAML"],
      path: "Sources/Converter/Configs"),
    .target(
      name: "Architectures", dependencies: ["Bytes"], path: "Sources/Converter/Architectures"),
    .target(
      name: "Converter",
      dependencies: [
        "Bytes", "Codecs", "JSON", "Graph", "Pickle", "Plan", "Torch", "Safetensors",
        "Comparison", "Formats", "Architectures", "Configs", "YAML",
      ],
      path: "Sources/Converter/Converter"),
    .target(
      name: "Batch",
      dependencies: ["Bytes", "Codecs", "JSON", "Plan", "Formats", "Converter"],
      path: "Sources/Converter/Batch"),
    .executableTarget(
      name: "ckptconv",
      dependencies: ["Bytes", "JSON", "Converter", "Formats", "Batch", "Scanning", "Configs"],
      path: "Sources/Converter/ckptconv"),

    .executableTarget(
      name: "probe", dependencies: ["Bytes", "Graph", "Plan", "Torch", "Safetensors", "Formats"],
      path: "Tests/Probe"),
    .target(name: "TestSupport", dependencies: ["Bytes"], path: "Tests/TestSupport"),
    .target(
      name: "HostileSupport",
      dependencies: [
        "Bytes", "YAML", "Graph", "Pickle", "Plan", "Torch", "Safetensors", "Comparison", "Formats",
        "Scanning",
        "Configs", "TestSupport",
      ],
      path: "Tests/HostileSupport"),
    .testTarget(
      name: "CodecsTests", dependencies: ["Bytes", "Codecs", "TestSupport"],
      path: "Tests/CodecsTests"),
    .testTarget(
      name: "ArchitecturesTests", dependencies: ["Bytes", "Architectures"],
      path: "Tests/ArchitecturesTests"),
    .testTarget(
      name: "GraphTests", dependencies: ["Bytes", "Graph"], path: "Tests/GraphTests"),
    .testTarget(
      name: "JSONTests", dependencies: ["Bytes", "JSON"], path: "Tests/JSONTests"),
    .testTarget(
      name: "YAMLTests", dependencies: ["Bytes", "YAML", "TestSupport"], path: "Tests/YAMLTests"),
    .testTarget(
      name: "ConfigsTests", dependencies: ["Bytes", "YAML", "Configs", "TestSupport"],
      path: "Tests/ConfigsTests"),
    .testTarget(
      name: "PickleTests", dependencies: ["Bytes", "Graph", "Pickle", "TestSupport"],
      path: "Tests/PickleTests"),
    .testTarget(
      name: "PlanTests", dependencies: ["Bytes", "Codecs", "Graph", "Plan", "TestSupport"],
      path: "Tests/PlanTests"),
    .testTarget(
      name: "ZipTests", dependencies: ["Bytes", "Graph", "Zip", "TestSupport"],
      path: "Tests/ZipTests"),
    .testTarget(
      name: "TorchTests",
      dependencies: ["Bytes", "Graph", "Pickle", "Plan", "Torch", "TestSupport"],
      path: "Tests/TorchTests"),
    .testTarget(
      name: "SafetensorsTests",
      dependencies: ["Bytes", "JSON", "Graph", "Plan", "Torch", "Safetensors", "TestSupport"],
      path: "Tests/SafetensorsTests"),
    .testTarget(
      name: "ComparisonTests",
      dependencies: [
        "Bytes", "Graph", "Pickle", "Plan", "Torch", "Safetensors", "Comparison", "TestSupport",
      ],
      path: "Tests/ComparisonTests"),
    .testTarget(
      name: "FormatsTests",
      dependencies: ["Bytes", "Graph", "Plan", "Safetensors", "Torch", "Formats", "TestSupport"],
      path: "Tests/FormatsTests"),
    .testTarget(
      name: "ConverterTests",
      dependencies: [
        "Bytes", "Graph", "Plan", "Torch", "Safetensors", "Formats", "Architectures", "Configs",
        "Converter", "TestSupport",
      ],
      path: "Tests/ConverterTests"),
    .testTarget(
      name: "BatchTests",
      dependencies: ["Bytes", "JSON", "Formats", "Converter", "Batch", "TestSupport"],
      path: "Tests/BatchTests"),
    .testTarget(
      name: "ScanningTests", dependencies: ["Bytes", "Formats", "Scanning", "TestSupport"],
      path: "Tests/ScanningTests"),
    .testTarget(
      name: "HostileTests",
      dependencies: [
        "Bytes", "JSON", "Graph", "Pickle", "Plan", "Zip", "Torch", "Safetensors", "Formats",
        "Converter", "TestSupport", "HostileSupport",
      ],
      path: "Tests/HostileTests"),
    .testTarget(
      name: "ckptconvTests", dependencies: ["Bytes", "Converter", "ckptconv"],
      path: "Tests/ckptconvTests"),
    .testTarget(
      name: "LibraryTests", dependencies: ["TestSupport", "Converter"], path: "Tests/LibraryTests"),
    .testTarget(
      name: "CommandTests", dependencies: ["TestSupport", "ckptconv"],
      path: "Tests/CommandTests",
      exclude: ["Snapshots"]),
  ]
)

// Fuzzers link libFuzzer, whose `main` no other build may see: they exist where `make fuzz` asks.
if Context.environment["CKPTCONV_FUZZ"] != nil {
  for name in [
    "Zip", "Pickle", "Torch", "Safetensors", "Skeleton", "OLMoKeys", "File", "YAML", "Config",
  ] {
    package.targets.append(
      .executableTarget(
        name: "Fuzz\(name)",
        dependencies: [
          "HostileSupport", "TestSupport", "Bytes", "JSON", "Zip",
        ],
        path: "Tests/Fuzz/\(name)"))
  }
}

// Every target of ours is held to the same rules; keep this after the last target.
for target in package.targets where [.regular, .executable, .test].contains(target.type) {
  var settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("InferIsolatedConformances"),
    // `~Escapable` views over memory; the spelling is underscored until the language settles it.
    .enableExperimentalFeature("Lifetimes"),
    .treatAllWarnings(as: .error),
  ]
  if target.path?.hasPrefix("Sources/") == true {
    settings.append(.strictMemorySafety())
    settings.append(.treatWarning("ExplicitSendable", as: .error))
  }
  target.swiftSettings = settings
}
