/// A subject of several commands, which `ckptconv help TOPIC` explains.
struct Topic: Sendable {
  let name: String
  /// The heading in the man page.
  let title: String
  let summary: String
  /// An example to begin with.
  let example: Example
  let blocks: [Document.Block]

  static let all = [safety, layouts, skeleton, exitCodes, environment]

  private static let safety = Topic(
    name: "safety", title: "Safety", summary: "pickles are read without running their code",
    example: Example(
      line: "ckptconv scan model.pt",
      purpose: "See what code a file could run when loaded. Nothing is run:"),
    blocks: [
      .text(
        """
        A pickle is a program. `ckptconv` reads it as data: it builds the values that the pickle
        describes. It cannot import a module or call a function.

        The classes of tensors and of ordinary values are known: OrderedDict, NumPy arrays, paths,
        random number states. Unknown classes are kept as they are, and `ckptconv inspect` lists
        them.

        Everything that can run code and is not known to be harmless is refused, such as `os.system`
        or a method of an object. The error has its name and offset, and the exit code is 65. With
        `--drop-unsafe`, None replaces it, a warning names it, and the tensors are read.

        The same rules apply to the pickles inside safetensors files of the layout `olmo`, and to
        skeletons.
        """)
    ])

  private static let layouts = Topic(
    name: "layouts", title: "Layouts", summary: "the names of tensors in a safetensors file",
    example: Example(
      line: "ckptconv pt-to-safetensors --layout plain step1000-unsharded -o converted",
      purpose: "Write plain names for a checkpoint of OLMo's trainer:"),
    blocks: [
      .list([
        (
          "plain",
          """
          The name of a tensor is its path, joined with dots:
          `state.transformer.wte.weight.exp_avg`.
          """
        ),
        (
          "olmo",
          """
          The names that OLMo's trainer reads: the pickled path in url-safe base64. Values that are
          not tensors are pickled into tensors of bytes.
          """
        ),
      ]),
      .text(
        """
        OLMo's trainer tries `model.safetensors` before `model.pt`, and reads only the layout `olmo`.
        A plain file in its directory would stop it. So the default is `olmo` for an OLMo checkpoint
        directory and for a file that is written into one, and `plain` for all others. `--layout` overrides the default. The
        command prints the layout that it used.
        """),
    ])

  private static let skeleton = Topic(
    name: "skeleton", title: "Skeleton", summary: "how everything but the tensors is kept",
    example: Example(
      line:
        "ckptconv pt-to-safetensors model.pt; ckptconv safetensors-to-pt model.safetensors -o b.pt",
      purpose: "Convert a file and restore it, byte for byte:"),
    blocks: [
      .text(
        """
        A safetensors file holds only named tensors. The skeleton holds everything else: nesting,
        order, number keys, floats, strides, and which tensors share a storage. It is one JSON
        document under the key `ckptconv.skeleton` of the file's metadata. Other programs ignore it.

        `ckptconv safetensors-to-pt` restores the checkpoint from it. If tensors were changed since,
        the changed tensors are used, and a warning names them.

        With `--no-skeleton` the file is byte for byte the one that `safetensors.torch.save_file`
        writes, or OLMo's own converter for the layout `olmo`.
        """)
    ])

  static let exitCodes = Topic(
    name: "exit-codes", title: "Exit codes", summary: "the meaning of the exit codes",
    example: Example(
      line: "ckptconv verify model.pt model.safetensors && rm model.pt",
      purpose: "Delete a file only if its copy is equal:"),
    blocks: [
      .list(ExitCode.allCases.map { ("\($0.rawValue)", $0.meaning) }),
      .text(ExitCode.rule),
    ])

  private static let environment = Topic(
    name: "environment", title: "Environment", summary: "the environment variables that are used",
    example: Example(
      line: "TMPDIR=/scratch ckptconv roundtrip step1000-unsharded",
      purpose: "Put temporary files on a large disk:"),
    blocks: [
      .list([
        (
          "CKPTCONV_MESSAGES",
          "If it is `json`, each message on standard error is one JSON object on a line of its own, and "
            + "no progress is shown."
        ),
        ("NO_COLOR", "If it is set and not empty, messages are not colored."),
        ("TERM", "If it is `dumb`, messages are not colored and no progress is shown."),
        ("TMPDIR", "The directory for temporary files. The default is `/tmp`."),
        (
          "SLURM_ARRAY_TASK_*",
          "In a task of a job array: the shard of `ckptconv batch`, unless `--shard` is given."
        ),
      ]),
      .text("`--color` `always` or `never` overrides the first two."),
    ])
}
