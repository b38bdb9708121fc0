// swift-tools-version: 6.3
import PackageDescription

/// A module of ours: the folder is its name without the prefix.
func module(_ name: String, in layer: String, _ dependencies: [String]) -> Target {
  let folder = name.hasPrefix("Ckpt") ? String(name.dropFirst(4)) : name
  return .target(
    name: name, dependencies: dependencies.map { .byName(name: $0) },
    path: "Sources/\(layer)/\(folder)")
}

/// A library of the system: pkg-config knows it, and the folder has its module map.
func library(_ name: String, _ pkgConfig: String, apt: String, brew: String) -> Target {
  .systemLibrary(
    name: name, path: "Sources/Formats/System/\(name)", pkgConfig: pkgConfig,
    providers: [.apt([apt]), .brew([brew])])
}

/// The tests of a module, in a folder of that name.
func tests(_ name: String, _ dependencies: [String], exclude: [String] = []) -> Target {
  .testTarget(
    name: name, dependencies: dependencies.map { .byName(name: $0) }, path: "Tests/\(name)",
    exclude: exclude)
}

/// The modules in the order a checkpoint's bytes climb: each imports only modules listed above it.
///
/// SwiftPM lets a target import what its dependencies import; `make lint` holds the sources to this
/// table instead. Names have a prefix because a module's name must be the only one of its kind in a
/// program, and others have a `Zip` or a `JSON` too.
let package = Package(
  name: "ckptconv",
  products: [
    .library(name: "CkptFormats", targets: ["CkptFormats"]),
    .library(name: "CkptConverter", targets: ["CkptConverter"]),
    .executable(name: "ckptconv", targets: ["ckptconv"]),
  ],
  targets: [
    .systemLibrary(name: "CCkptSystem", path: "Sources/Formats/System/CCkptSystem"),
    library("CCkptZlib", "zlib", apt: "zlib1g-dev", brew: "zlib"),
    library("CCkptDeflate", "libdeflate", apt: "libdeflate-dev", brew: "libdeflate"),
    library("CCkptCrypto", "libcrypto", apt: "libssl-dev", brew: "openssl@3"),
    library("CCkptYAML", "yaml-0.1", apt: "libyaml-dev", brew: "libyaml"),

    module(
      "CkptBase", in: "Formats", ["CCkptSystem", "CCkptZlib", "CCkptDeflate", "CCkptCrypto"]),
    module("CkptJSON", in: "Formats", ["CkptBase"]),
    module("CkptYAML", in: "Formats", ["CCkptYAML", "CkptBase"]),
    module("CkptGraph", in: "Formats", ["CkptBase"]),
    module("CkptPickle", in: "Formats", ["CkptBase", "CkptGraph"]),
    module("CkptPlan", in: "Formats", ["CkptBase", "CkptGraph"]),
    module("CkptCopy", in: "Formats", ["CkptBase", "CkptGraph", "CkptPlan"]),
    module("CkptZip", in: "Formats", ["CkptBase", "CkptGraph", "CkptPlan"]),
    module("CkptContainer", in: "Formats", ["CkptBase", "CkptGraph", "CkptPlan", "CkptZip"]),
    module(
      "CkptTorch", in: "Formats",
      ["CkptBase", "CkptGraph", "CkptPickle", "CkptPlan", "CkptZip", "CkptContainer"]),
    module(
      "CkptLegacy", in: "Formats",
      ["CkptBase", "CkptGraph", "CkptPickle", "CkptPlan", "CkptContainer", "CkptTorch"]),
    module(
      "CkptSkeleton", in: "Formats",
      ["CkptBase", "CkptJSON", "CkptGraph", "CkptPickle", "CkptContainer", "CkptTorch"]),
    module(
      "CkptSafetensors", in: "Formats",
      [
        "CkptBase", "CkptJSON", "CkptGraph", "CkptPickle", "CkptPlan", "CkptContainer",
        "CkptSkeleton",
      ]),
    module(
      "CkptDistributed", in: "Formats",
      [
        "CkptBase", "CkptJSON", "CkptGraph", "CkptPickle", "CkptPlan", "CkptContainer", "CkptTorch",
        "CkptSafetensors",
      ]),
    module(
      "CkptFormats", in: "Formats",
      [
        "CkptBase", "CkptGraph", "CkptPlan", "CkptCopy", "CkptZip", "CkptContainer",
        "CkptDistributed",
        "CkptTorch", "CkptLegacy", "CkptSkeleton", "CkptSafetensors",
      ]),

    module("CkptModels", in: "Converter", ["CkptBase", "CkptJSON", "CkptYAML"]),
    module(
      "CkptCheckpoints", in: "Converter",
      [
        "CkptBase", "CkptJSON", "CkptGraph", "CkptPlan", "CkptCopy", "CkptSkeleton",
        "CkptDistributed", "CkptFormats", "CkptModels",
      ]),
    module(
      "CkptCompare", in: "Converter",
      [
        "CkptBase", "CkptJSON", "CkptYAML", "CkptGraph", "CkptPlan", "CkptCopy", "CkptTorch",
        "CkptSkeleton", "CkptSafetensors", "CkptFormats", "CkptCheckpoints",
      ]),
    module(
      "CkptConvert", in: "Converter",
      [
        "CkptBase", "CkptJSON", "CkptYAML", "CkptGraph", "CkptPlan", "CkptCopy", "CkptTorch",
        "CkptSkeleton", "CkptSafetensors", "CkptFormats", "CkptModels", "CkptCheckpoints",
        "CkptCompare",
      ]),
    module(
      "CkptHuggingFace", in: "Converter",
      [
        "CkptBase", "CkptJSON", "CkptYAML", "CkptGraph", "CkptPlan", "CkptCopy", "CkptTorch",
        "CkptSkeleton", "CkptSafetensors", "CkptFormats", "CkptModels", "CkptCheckpoints",
        "CkptCompare", "CkptConvert",
      ]),
    module(
      "CkptReshard", in: "Converter",
      [
        "CkptBase", "CkptYAML", "CkptGraph", "CkptCopy", "CkptTorch", "CkptDistributed",
        "CkptFormats", "CkptModels", "CkptCheckpoints", "CkptCompare", "CkptHuggingFace",
      ]),
    module(
      "CkptInspect", in: "Converter",
      [
        "CkptBase", "CkptJSON", "CkptYAML", "CkptGraph", "CkptPickle", "CkptPlan", "CkptCopy",
        "CkptSafetensors", "CkptFormats", "CkptModels", "CkptCheckpoints", "CkptCompare",
      ]),
    module(
      "CkptCheck", in: "Converter",
      [
        "CkptBase", "CkptJSON", "CkptYAML", "CkptGraph", "CkptPickle", "CkptPlan", "CkptCopy",
        "CkptTorch",
        "CkptSkeleton", "CkptSafetensors", "CkptFormats", "CkptModels", "CkptCheckpoints",
        "CkptCompare", "CkptHuggingFace",
      ]),
    module(
      "CkptStats", in: "Converter",
      [
        "CkptBase", "CkptJSON", "CkptYAML", "CkptGraph", "CkptPlan", "CkptCopy",
        "CkptSafetensors", "CkptFormats", "CkptModels", "CkptCheckpoints", "CkptCompare",
        "CkptCheck",
      ]),
    module(
      "CkptScan", in: "Converter",
      [
        "CkptBase", "CkptJSON", "CkptPickle", "CkptZip", "CkptContainer", "CkptLegacy",
        "CkptSafetensors", "CkptFormats",
      ]),
    module(
      "CkptBatch", in: "Converter",
      [
        "CkptBase", "CkptJSON", "CkptPlan", "CkptCopy", "CkptSkeleton", "CkptFormats",
        "CkptCheckpoints", "CkptCompare", "CkptConvert", "CkptHuggingFace", "CkptCheck",
        "CkptStats",
      ]),
    module(
      "CkptConverter", in: "Converter",
      [
        "CkptCopy", "CkptFormats", "CkptModels", "CkptCheckpoints", "CkptCompare", "CkptConvert",
        "CkptHuggingFace", "CkptReshard", "CkptInspect", "CkptCheck", "CkptStats", "CkptScan",
      ]),
    .executableTarget(
      name: "ckptconv",
      dependencies: [
        "CkptBase", "CkptJSON", "CkptCopy", "CkptSkeleton", "CkptFormats", "CkptModels",
        "CkptCheckpoints",
        "CkptCompare", "CkptConvert", "CkptHuggingFace", "CkptReshard", "CkptInspect", "CkptCheck",
        "CkptStats", "CkptScan", "CkptBatch",
      ],
      path: "Sources/Converter/ckptconv"),

    .executableTarget(
      name: "ckptprobe",
      dependencies: [
        "CkptBase", "CkptJSON", "CkptGraph", "CkptPickle", "CkptPlan", "CkptCopy", "CkptTorch",
        "CkptSafetensors", "CkptDistributed", "CkptFormats",
      ],
      path: "Tests/Probe"),
    .target(
      name: "CkptTestSupport", dependencies: ["CkptBase"], path: "Tests/TestSupport"),
    .target(
      name: "CkptHostileSupport",
      dependencies: [
        "CkptBase", "CkptYAML", "CkptGraph", "CkptPickle", "CkptPlan", "CkptCopy", "CkptTorch",
        "CkptSkeleton", "CkptSafetensors", "CkptFormats", "CkptModels", "CkptCompare", "CkptScan",
        "CkptTestSupport",
      ],
      path: "Tests/HostileSupport"),
    tests("BaseTests", ["CkptBase", "CkptTestSupport"]),
    tests("JSONTests", ["CkptBase", "CkptJSON"]),
    tests("YAMLTests", ["CkptBase", "CkptYAML", "CkptTestSupport"]),
    tests("GraphTests", ["CkptBase", "CkptGraph", "CkptTestSupport"]),
    tests("PickleTests", ["CkptBase", "CkptGraph", "CkptPickle", "CkptTestSupport"]),
    tests("CopyTests", ["CkptBase", "CkptGraph", "CkptPlan", "CkptCopy", "CkptTestSupport"]),
    tests("ZipTests", ["CkptBase", "CkptGraph", "CkptZip", "CkptTestSupport"]),
    tests(
      "TorchTests",
      [
        "CkptBase", "CkptGraph", "CkptPickle", "CkptPlan", "CkptContainer", "CkptTorch",
        "CkptTestSupport",
      ]),
    tests(
      "DistributedTests",
      [
        "CkptBase", "CkptGraph", "CkptPlan", "CkptCopy", "CkptContainer", "CkptDistributed",
        "CkptTestSupport",
      ]),
    tests(
      "LegacyTests",
      [
        "CkptBase", "CkptGraph", "CkptPickle", "CkptPlan", "CkptCopy", "CkptContainer", "CkptTorch",
        "CkptLegacy", "CkptTestSupport",
      ]),
    tests(
      "SafetensorsTests",
      [
        "CkptBase", "CkptJSON", "CkptGraph", "CkptPlan", "CkptCopy", "CkptContainer", "CkptTorch",
        "CkptSkeleton", "CkptSafetensors", "CkptTestSupport",
      ]),
    tests(
      "FormatsTests",
      [
        "CkptBase", "CkptGraph", "CkptPlan", "CkptCopy", "CkptTorch", "CkptFormats",
        "CkptTestSupport",
      ]),
    tests("ModelsTests", ["CkptBase", "CkptYAML", "CkptModels", "CkptTestSupport"]),
    tests(
      "CheckpointsTests",
      [
        "CkptBase", "CkptGraph", "CkptSkeleton", "CkptFormats", "CkptModels", "CkptCheckpoints",
        "CkptTestSupport",
      ]),
    tests(
      "CompareTests",
      [
        "CkptBase", "CkptGraph", "CkptPlan", "CkptCopy", "CkptContainer", "CkptTorch",
        "CkptSkeleton", "CkptSafetensors", "CkptFormats", "CkptCompare", "CkptTestSupport",
      ]),
    tests(
      "ConvertTests",
      [
        "CkptBase", "CkptPlan", "CkptCopy", "CkptContainer", "CkptSkeleton", "CkptFormats",
        "CkptModels", "CkptCheckpoints", "CkptConvert", "CkptTestSupport",
      ]),
    tests(
      "CheckTests",
      ["CkptBase", "CkptCopy", "CkptFormats", "CkptModels", "CkptCheck", "CkptTestSupport"]),
    tests(
      "HuggingFaceTests",
      [
        "CkptBase", "CkptGraph", "CkptPlan", "CkptCopy", "CkptTorch", "CkptSafetensors",
        "CkptFormats", "CkptModels", "CkptCheckpoints", "CkptConvert", "CkptHuggingFace",
        "CkptTestSupport",
      ]),
    tests("InspectTests", ["CkptBase", "CkptInspect", "CkptTestSupport"]),
    tests(
      "StatsTests",
      [
        "CkptBase", "CkptJSON", "CkptCopy", "CkptModels", "CkptCheckpoints", "CkptCheck",
        "CkptStats", "CkptTestSupport",
      ]),
    tests("ScanTests", ["CkptBase", "CkptFormats", "CkptPickle", "CkptScan", "CkptTestSupport"]),
    tests(
      "BatchTests",
      [
        "CkptBase", "CkptCheckpoints", "CkptPlan", "CkptCopy", "CkptFormats", "CkptBatch",
        "CkptTestSupport",
      ]),
    tests(
      "HostileTests",
      [
        "CkptBase", "CkptJSON", "CkptGraph", "CkptPickle", "CkptContainer", "CkptTorch",
        "CkptSkeleton", "CkptSafetensors", "CkptFormats", "CkptTestSupport", "CkptHostileSupport",
      ]),
    tests(
      "ckptconvTests",
      [
        "CkptBase", "CkptCheckpoints", "CkptConvert", "CkptHuggingFace", "CkptInspect",
        "CkptTestSupport", "ckptconv",
      ]),
    tests("LibraryTests", ["CkptConverter", "CkptTestSupport"]),
    tests("CommandTests", ["ckptconv", "CkptTestSupport"], exclude: ["Snapshots"]),
  ]
)

// The fuzzer links libFuzzer, whose `main` no other build may see: it exists where `make fuzz` asks.
if Context.environment["CKPTCONV_FUZZ"] != nil {
  package.targets.append(
    .executableTarget(
      name: "Fuzz",
      dependencies: [
        "CkptHostileSupport", "CkptTestSupport", "CkptBase", "CkptJSON", "CkptZip",
      ],
      path: "Tests/Fuzz", exclude: ["ceilings", "dictionary", "fuzz", "pickle-machines", "seeds"]))
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
  ]
  // What a later compiler warns of must not break the build of those who have it.
  #if compiler(<6.4)
    settings.append(.treatAllWarnings(as: .error))
  #endif
  if target.path?.hasPrefix("Sources/") == true {
    settings.append(.strictMemorySafety())
    settings.append(.treatWarning("ExplicitSendable", as: .error))
  }
  target.swiftSettings = settings
}
