import CkptBase
import CkptGraph
import CkptPickle
import Testing

struct GlobalPolicyTests {
  struct Case: CustomTestStringConvertible {
    var module: String
    var name: String
    var verdict: GlobalPolicy.Verdict

    var testDescription: String { "\(module).\(name) is \(verdict)" }

    init(_ module: String, _ name: String, _ verdict: GlobalPolicy.Verdict) {
      self.module = module
      self.name = name
      self.verdict = verdict
    }
  }

  static let cases = [
    Case("torch._utils", "_rebuild_tensor_v2", .known), Case("torch", "FloatStorage", .known),
    Case("collections", "OrderedDict", .known), Case("numpy", "ndarray", .known),
    Case("pathlib", "PosixPath", .known), Case("argparse", "Namespace", .known),
    Case("omegaconf.listconfig", "ListConfig", .opaque), Case("__main__", "Config", .opaque),
    Case("torch.nn.modules.linear", "Linear", .opaque),
    Case("torch.distributed._shard.sharded_tensor.api", "ShardedTensor.ProcessGroupState", .opaque),
    Case("os", "system", .dangerous), Case("posix", "system", .dangerous),
    Case("os.path", "join", .dangerous), Case("subprocess", "Popen", .dangerous),
    Case("builtins", "eval", .dangerous), Case("builtins", "exec", .dangerous),
    Case("builtins", "__import__", .dangerous), Case("runpy", "_run_code", .dangerous),
    Case("importlib", "import_module", .dangerous), Case("functools", "partial", .dangerous),
    Case("operator", "attrgetter", .dangerous),
    Case("torch.storage", "_load_from_bytes", .dangerous),
    Case("torch.hub", "load", .dangerous), Case("torch", "load", .dangerous),
    Case("numpy", "load", .dangerous),
    Case("torch._inductor.codecache", "compile_file", .dangerous),
    Case("pickle", "loads", .dangerous), Case("_pickle", "loads", .dangerous),
    Case("dill._dill", "loads", .dangerous), Case("types", "CodeType", .dangerous),
    Case("types", "SimpleNamespace", .opaque),
    // Dotted names reach through attributes.
    Case("torch", "os.system", .dangerous), Case("torch.serialization", "os.system", .dangerous),
    Case("collections", "OrderedDict.__init__.__globals__", .dangerous),
    Case("torch", "hub.load", .dangerous), Case("numpy", "f2py.compile", .dangerous),
    Case("torch", "os.\u{301}x", .dangerous),
    Case("m", "Outer.Inner", .opaque),
    // Behind a line break old protocols have the next operation.
    Case("m", "name\ncos\nsystem", .dangerous), Case("m\n", "name", .dangerous),
    // Names of Python 2 act as what they became.
    Case("__builtin__", "eval", .dangerous), Case("commands", "getoutput", .dangerous),
    Case("__builtin__", "set", .opaque),
    // Modules are attributes of others.
    Case("torch", "os", .dangerous), Case("numpy", "sys", .dangerous),
    Case("pathlib", "os", .dangerous), Case("pathlib", "Path.unlink", .dangerous),
    // Of PyTorch only what rebuilds tensors is known.
    Case("torch", "Size", .known), Case("torch", "bfloat16", .known),
    Case("torch", "no_grad", .opaque), Case("torch", "from_file", .dangerous),
    Case("torch._utils", "ExceptionWrapper", .opaque),
    Case("torch.storage", "TypedStorage", .known),
    Case("torch.ops", "load_library", .dangerous), Case("numpy", "ndarray.tofile", .dangerous),
    Case("torch", "load.x", .dangerous),
    // A user's module may have the name of one in the standard library, which has other names in it.
    Case("test", "Net", .opaque), Case("test.model", "Net", .opaque),
    Case("profile", "Net", .opaque), Case("profile", "run", .dangerous),
    Case("inspect", "Net", .opaque), Case("inspect", "Parameter", .opaque),
    Case("inspect", "getsource", .dangerous), Case("site", "Encoder", .opaque),
    Case("site", "addsitedir", .dangerous), Case("code.model", "Net", .opaque),
    Case("code", "Codebook", .opaque), Case("code", "InteractiveConsole.push", .dangerous),
    Case("ssl", "Projector", .opaque), Case("dbm", "Layer", .opaque),
    Case("dbm.dumb", "open", .dangerous), Case("trace", "Trace.run", .dangerous),
    Case("trace", "Head.Block", .opaque), Case("profile", "os", .dangerous),
    Case("inspect", "linecache.updatecache", .dangerous), Case("site", "io.open", .dangerous),
    // Values in modules that also hold what runs code.
    Case("signal", "Signals", .opaque), Case("signal", "signal", .dangerous),
    Case("_io", "BytesIO", .opaque), Case("_io", "open", .dangerous),
    Case("numpy", "memmap", .opaque), Case("http", "HTTPStatus", .opaque),
    Case("typing", "Any", .opaque), Case("types", "GenericAlias", .opaque),
    Case("torch._dynamo.decorators", "_DimRange", .opaque),
    Case("torch._dynamo.decorators", "_DimRange.x", .dangerous),
    Case("torch._dynamo.decorators", "mark_dynamic", .dangerous),
    Case("torch._dynamo.eval_frame", "OptimizedModule", .opaque),
    // What other scanners list.
    Case("imaplib", "IMAP4_stream", .dangerous), Case("pkgutil", "resolve_name", .dangerous),
    Case("uuid", "_get_command_stdout", .dangerous), Case("uuid", "UUID", .known),
    Case("test.support.script_helper", "assert_python_ok", .dangerous),
    Case("_osx_support", "_read_output", .dangerous),
    Case("_pyrepl.pager", "pipe_pager", .dangerous),
    Case("logging", "FileHandler", .dangerous), Case("_io", "FileIO", .dangerous),
    Case("cloudpickle.cloudpickle", "_make_function", .dangerous),
    Case("torch._dynamo.guards", "GuardBuilder.get", .dangerous),
    Case(
      "torch.fx.experimental.symbolic_shapes", "ShapeEnv.evaluate_guards_expression", .dangerous),
    Case("torch.utils.data.datapipes.utils.decoder", "basichandlers", .dangerous),
    Case("distutils.file_util", "write_file", .dangerous), Case("gc", "get_objects", .dangerous),
    Case("_frozen_importlib", "_call_with_frames_removed", .dangerous),
  ]

  @Test("Names are judged as they would act", arguments: cases)
  func verdict(_ test: Case) {
    #expect(GlobalPolicy.verdict(module: test.module, name: test.name) == test.verdict)
  }

  struct Attack: CustomTestStringConvertible {
    var testDescription: String
    var program: PickleProgram
    var global: String

    init(_ name: String, _ program: PickleProgram, _ global: String) {
      testDescription = name
      self.program = program
      self.global = global
    }
  }

  static let attacks = [
    Attack("REDUCE", "cos\nsystem\n(Vid\ntR.", "os.system"),
    Attack("the name of Python 2", "c__builtin__\neval\n(V1\ntR.", "builtins.eval"),
    Attack(
      "a renamed module of Python 2", "ccommands\ngetoutput\n(Vid\ntR.", "subprocess.getoutput"),
    Attack("INST", "(Vid\nios\nsystem\n.", "os.system"),
    Attack("OBJ", "(cos\nsystem\nVid\no.", "os.system"),
    Attack(
      "STACK_GLOBAL", ["V", "o", "s", 10, "V", "s", "y", "s", "t", "e", "m", 10, 0x93, "."],
      "os.system"),
    Attack(
      "STACK_GLOBAL through the memo",
      ["V", "s", "y", "s", "t", "e", "m", 10, "q", 7, "0", "V", "o", "s", 10, "h", 7, 0x93, "."],
      "os.system"),
    Attack("STACK_GLOBAL of one text twice", ["V", "p", "i", "p", 10, "2", 0x93, "."], "pip.pip"),
    Attack("NEWOBJ", .init(Array("cos\nsystem\n)".utf8) + [0x81, 0x2e]), "os.system"),
    Attack(
      "NEWOBJ_EX", .init(Array("cos\nsystem\n)}".utf8) + [0x92, 0x2e]), "os.system"),
    Attack(
      "a pickle in a value, handed to what reads it",
      "ctorch.storage\n_load_from_bytes\n(Vcos\ntR.", "torch.storage._load_from_bytes"),
    Attack(
      "getattr of a module's attribute",
      "c__builtin__\ngetattr\n(ctorch\nserialization\nVload\ntR.", "torch.serialization.load"),
    Attack(
      "getattr in two steps",
      "c__builtin__\ngetattr\n(c__builtin__\ngetattr\n(ctorch\nos\nVpath\ntRVjoin\ntR.",
      "torch.os"),
    Attack(
      "a name of Python 2 behind a second PROTO",
      .init([0x80, 4, 0x80, 2] + Array("c__builtin__\neval\n)R.".utf8)),
      "builtins.eval"),
    Attack("a name that is only mentioned", "cos\nsystem\n0N.", "os.system"),
    Attack("a name inside a state", "cm\nC\n)R}Va\ncos\nsystem\nsb.", "os.system"),
  ]

  @Test("A dangerous global is refused by name, however it is spelled", arguments: attacks)
  func refusal(_ attack: Attack) {
    let error = #expect(throws: CheckpointError.self) { try attack.program.load() }
    #expect(error?.code == .forbidden)
    #expect(error?.message.contains("'\(attack.global)'") == true, "\(error?.message ?? "")")
  }

  @Test("getattr of anything but a class is refused")
  func getattrOfValue() {
    let program: PickleProgram = "c__builtin__\ngetattr\n(]Vappend\ntR."
    let error = #expect(throws: CheckpointError.self) { try program.load() }
    #expect(error?.code == .forbidden)
  }

  struct Refusal: CustomTestStringConvertible {
    var testDescription: String
    var program: PickleProgram
    /// The object that the message names.
    var subject: String
    /// The object after dropping.
    var rest: String

    init(_ name: String, _ program: PickleProgram, _ subject: String, rest: String = "None") {
      testDescription = name
      self.program = program
      self.subject = subject
      self.rest = rest
    }
  }

  static let unsafeCalls = [
    Refusal(
      "a method of an object", "}Vf\nc__builtin__\ngetattr\n(cm\nC\n)RVrun\ntRs.",
      "attribute 'run' of an object of 'm.C', reached by 'builtins.getattr',", rest: "{'f': None}"),
    Refusal(
      "a method of a method",
      "c__builtin__\ngetattr\n(c__builtin__\ngetattr\n(cm\nC\n)RVa\ntRVb\ntR.",
      "attribute 'a' of an object of 'm.C', reached by 'builtins.getattr',"),
    Refusal(
      "a method that is called and given a state",
      "c__builtin__\ngetattr\n(cm\nC\n)RVa\ntR)R}Vx\nNsb.",
      "attribute 'a' of an object of 'm.C', reached by 'builtins.getattr',"),
    Refusal(
      "an attribute of a list", "c__builtin__\ngetattr\n(]Vappend\ntR.",
      "attribute 'append' of a value, reached by 'builtins.getattr',"),
    Refusal(
      "getattr of nothing", "c__builtin__\ngetattr\n)R.", "calling 'builtins.getattr'"),
    Refusal(
      "what a call returned is called", "](cm\nf\n)R)RK\u{1}e.", "calling f()", rest: "[None, 1]"),
    Refusal(
      "an item of an object", "c_operator\ngetitem\n(cm\nC\n)RVx\ntR.",
      "an item of something other than a class"),
    Refusal(
      "reduce of a function", "c__builtin__\nreduce\n(cm\nf\n(K\u{1}K\u{2}ttR.",
      "calling 'functools.reduce'"),
    Refusal(
      "attributes of a function", "cm\nf\n}Vx\nNsb.", "setting attributes of 'm.f'", rest: "m.f"),
    Refusal(
      "a partial in an object",
      "cm\nC\n)R}Vf\ncfunctools\npartial\n(cm\nf\ntR(cm\nf\n)}NtbsVn\nK\u{5}sb.",
      "global 'functools.partial'", rest: "C() {'f': None, 'n': 5}"),
    Refusal(
      "a function as dill saves it",
      "cdill._dill\n_create_function\n(cdill._dill\n_create_code\n)R}tR}b.",
      "global 'dill._dill._create_function'", rest: "None"),
  ]

  @Test("What can run code is refused by name, and dropped where asked", arguments: unsafeCalls)
  func unsafeCall(_ test: Refusal) throws {
    let error = #expect(throws: CheckpointError.self) { try test.program.load() }
    #expect(error?.code == .forbidden)
    #expect(
      error?.message
        == "\(test.subject) is not allowed: it is not known to be harmless and can run code")
    #expect(error?.remedy?.action == .dropUnsafe)
    var machine = Unpickler(unsafeGlobals: .drop)
    var reader = ByteReader(test.program.bytes.span)
    let root = try machine.load(&reader)
    #expect(machine.dropped.warnings.first?.hasPrefix("\(test.subject) can run code") == true)
    #expect(machine.finish().description(of: root) == test.rest)
  }

  @Test("What is dropped many times is named once, and what has many names is counted")
  func droppedNames() {
    var values = DroppedValues()
    for _ in 0..<3 { values.add("global 'm.f'") }
    #expect(
      values.warnings == ["global 'm.f' can run code; it was replaced by None in 3 places"])
    for number in 0..<30 { values.add("global 'm.f\(number)'") }
    #expect(values.warnings.count == 21)
    #expect(values.warnings.last == "so were 11 more")
  }

  @Test("A nested class is listed by its own name")
  func nestedClasses() throws {
    let program: PickleProgram =
      "(c__builtin__\ngetattr\n(cm\nA\nVB\ntR)Rc__builtin__\ngetattr\n(cm\nC\nVD\ntRcm\nC\n)Rt."
    #expect(try program.load().opaqueGlobals() == ["m.A.B", "m.C", "m.C.D"])
  }

  @Test("With --drop-unsafe the value becomes None and the rest is read")
  func dropping() throws {
    let program: PickleProgram = "}(Va\ncos\nsystem\n(Vid\ntR}Vx\nNsbVb\nK\u{5}u."
    let graph = try program.load(unsafeGlobals: .drop)
    #expect(graph.description(of: graph.root) == "{'a': None, 'b': 5}")
  }
}
