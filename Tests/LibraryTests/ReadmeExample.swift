import CkptConverter

/// What `README.md` shows of the library, compiled as a user would: with public names only.
func convertAsInReadme() throws {
  let inspection = try Inspection(of: "model.pt")
  for tensor in inspection.tensors {
    print(tensor.name, tensor.dtype, tensor.shape)
  }

  let conversion = Conversion(ConversionOptions())
  for task in try conversion.tasks(for: ["model.pt"], to: .besideInput) {
    for output in try conversion.run(task, progress: { done, total in }) {
      print(output.path, output.byteCount)
    }
  }
}
