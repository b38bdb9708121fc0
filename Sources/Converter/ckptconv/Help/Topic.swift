/// Something that concerns several commands and that `ckptconv help TOPIC` explains.
struct Topic: Sendable {
  let name: String
  /// The heading in the man page.
  let title: String
  let summary: String
  let blocks: [Document.Block]

  static let all = [safety, layouts, skeleton, exitCodes, environment]

  private static let safety = Topic(
    name: "safety", title: "Safety", summary: "what is read from a pickle, and what is refused",
    blocks: [
      .text(
        """
        A pickle is a program. `ckptconv` reads it as data: it builds the values that the pickle
        describes and has no means to import a module or to call a function.

        Classes that rebuild tensors, and the classes of ordinary values (OrderedDict, NumPy arrays,
        paths, random number states), are known. Unknown classes are listed by `ckptconv inspect` and
        carried along as they are. What is not known to be harmless and can run
        code, such as `os.system` or a method of an object, is refused with its name and place, and
        the exit code is 65. With `--drop-unsafe` its value is replaced by None, a warning names it,
        and the tensors are read.

        The same holds for the pickles inside safetensors files of the layout `olmo`.
        """)
    ])

  private static let layouts = Topic(
    name: "layouts", title: "Layouts", summary: "how tensors are named in a safetensors file",
    blocks: [
      .list([
        (
          "plain",
          """
          A tensor's name is the path to it, joined with dots:
          `state.transformer.wte.weight.exp_avg`.
          """
        ),
        (
          "olmo",
          """
          What the OLMo trainer loads: names are the url-safe base64 of the pickled path, and values
          that are not tensors are pickled into tensors of bytes.
          """
        ),
      ]),
      .text(
        """
        The OLMo trainer tries `model.safetensors` before `model.pt` and reads only the layout `olmo`,
        so a plain file in its directory would stop it. The layout is therefore `olmo` for inputs
        that lie in an OLMo checkpoint directory, and `plain` for all others, unless `--layout`
        decides it. The command says which it took.
        """),
    ])

  private static let skeleton = Topic(
    name: "skeleton", title: "Skeleton", summary: "how everything that is not a tensor is kept",
    blocks: [
      .text(
        """
        A safetensors file holds a flat map of tensors. What else the checkpoint had (nesting, order,
        number keys, floats, which tensors shared their storage, strides) is written as one JSON
        document under the key `ckptconv.skeleton` of the file's metadata. Other readers ignore it.
        `ckptconv safetensors-to-pt` rebuilds the same checkpoint from it, and follows tensors that
        were changed since.

        With `--no-skeleton` the file is byte for byte what `safetensors.torch.save_file`, or OLMo's
        own converter for the layout `olmo`, writes.
        """)
    ])

  static let exitCodes = Topic(
    name: "exit-codes", title: "Exit status", summary: "what the exit status says",
    blocks: [
      .list(ExitCode.allCases.map { ("\($0.rawValue)", $0.meaning) }),
      .text(ExitCode.rule),
    ])

  private static let environment = Topic(
    name: "environment", title: "Environment", summary: "the environment variables that matter",
    blocks: [
      .list([
        (
          "CKPTCONV_MESSAGES",
          "If it is `json`, each message on standard error is one JSON object on a line of its own, and "
            + "no progress is shown."
        ),
        ("NO_COLOR", "If it is set and not empty, messages are not colored."),
        ("TERM", "If it is `dumb`, messages are not colored and no progress is shown."),
        (
          "TMPDIR",
          "Where files without a name lie while something is compared that does not fit the memory. "
            + "The default is `/tmp`."
        ),
        (
          "SLURM_ARRAY_TASK_*",
          "In a task of a job array: the shard of `ckptconv batch`, unless `--shard` says another."
        ),
      ]),
      .text("`--color` `always` or `never` goes before both."),
    ])
}
