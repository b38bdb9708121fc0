class Ckptconv < Formula
  desc "Convert PyTorch checkpoints to safetensors and back, bit for bit"
  homepage "@HOME@"
  url "@URL@/ckptconv-@VERSION@-linux-@ARCH@.tar.xz"
  sha256 "@SHA256@"
  license "Apache-2.0"

  depends_on arch: :@ARCH@
  depends_on :linux

  def install
    bin.install "bin/ckptconv"
    man1.install "share/man/man1/ckptconv.1"
    bash_completion.install "share/bash-completion/completions/ckptconv"
    zsh_completion.install "share/zsh/site-functions/_ckptconv"
    fish_completion.install "share/fish/vendor_completions.d/ckptconv.fish"
    prefix.install "THIRD_PARTY.txt"
  end

  test do
    assert_equal "ckptconv #{version}\n", shell_output("#{bin}/ckptconv --version")
  end
end
