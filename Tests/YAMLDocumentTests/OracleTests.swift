import LinuxProcess
import LinuxSystem
import Testing
import YAMLDocument

@Suite("An independent reader of YAML")
struct OracleTests {
    @Test("PyYAML reads the values that were written")
    func pyYAMLAgrees() throws {
        let directory = try Files.createTemporaryDirectory(prefix: "/tmp/yaml-oracle.")
        defer { #expect(throws: Never.self) { try Files.removeTree(directory) } }
        var random = SystemRandomNumberGenerator()
        var nodes = RandomNode.hostile.map { YAMLNode.sequence([.text($0), .mapping([$0: .integer(1)])]) }
        while nodes.count < 2500 { nodes.append(RandomNode.make(using: &random)) }
        // One document a line: the bytes in hexadecimal.
        let digits = Array("0123456789abcdef".utf8)
        var lines: [UInt8] = []
        for node in nodes {
            for byte in YAMLDocument.emit(node) { lines += [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
            lines.append(0x0A)
        }
        try Files.replace("\(directory)/documents", with: lines)

        var child = try ChildProcess.start(ChildRequest(["python3", "-c", Self.script, directory]))
        let outcome = try #require(
            try child.wait(timeout: .seconds(300)), "PyYAML took more than five minutes")
        try #require(
            outcome.status == .code(0),
            "python3 with PyYAML is needed: apt-get install python3-yaml, or python3 -m pip install pyyaml")

        let values = try Files.read("\(directory)/values", limit: 1 << 28)
        let read = String(decoding: values, as: UTF8.self).split(separator: "\n")
        try #require(read.count == nodes.count)
        for (node, value) in zip(nodes, read) {
            #expect(
                value == Canonical.text(node), "\(String(decoding: YAMLDocument.emit(node), as: UTF8.self))")
        }
    }

    /// Reads each document with PyYAML and prints what it holds, one line a document, as `Canonical` does.
    private static let script = #"""
        import struct
        import sys

        import yaml


        def text(value):
            if value is None:
                return "n"
            if isinstance(value, bool):
                return "b1" if value else "b0"
            if isinstance(value, int):
                return f"i{value}"
            if isinstance(value, float):
                return "fnan" if value != value else f"f{struct.unpack('>Q', struct.pack('>d', value))[0]:x}"
            if isinstance(value, str):
                return "s" + value.encode().hex()
            if isinstance(value, list):
                return "[" + ",".join(map(text, value)) + "]"
            if isinstance(value, dict):
                return "{" + ",".join(
                    (k.encode().hex() if isinstance(k, str) else repr(k)) + "=" + text(v) for k, v in value.items()) + "}"
            return repr(value)


        directory = sys.argv[1]
        with open(f"{directory}/documents") as documents, open(f"{directory}/values", "w") as values:
            for document in documents:
                try:
                    line = text(yaml.load(bytes.fromhex(document.strip()), Loader=yaml.SafeLoader))
                except yaml.YAMLError as error:
                    line = "refused: " + " ".join(str(error).split())
                values.write(line + "\n")
        """#
}
