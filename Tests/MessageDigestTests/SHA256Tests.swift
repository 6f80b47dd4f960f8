import LinuxProcess
import LinuxSystem
import MessageDigest
import TestSupport
import Testing

@Suite("SHA-256")
struct SHA256Tests {
    @Test("The values of FIPS 180-2, in one piece and in many")
    func standardValues() {
        #expect(
            SHA256.hexadecimal(of: Array("abc".utf8))
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(
            SHA256.hexadecimal(of: []) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        var pieces = SHA256()
        for _ in 0..<1000 { pieces.update([UInt8](repeating: UInt8(ascii: "a"), count: 1000)) }
        #expect(
            pieces.hexadecimal() == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }

    @Test("A file's digest is the one that sha256sum prints, and a missing file is reported")
    func file() throws {
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/data"
        try Files.replace(path, with: (0..<700_000).map { UInt8(truncatingIfNeeded: $0 &* 31) })
        let (digest, bytes) = try SHA256.file(path)
        #expect(bytes == 700_000)
        #expect(try runCommand(["sha256sum", path]).standardOutput == "\(digest)  \(path)\n")
        let missing = "\(directory.path)/none"
        #expect {
            _ = try SHA256.file(missing)
        } throws: { error in
            "\(error)" == "Cannot read '\(missing)': No such file or directory."
        }
    }
}
