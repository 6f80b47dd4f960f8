import LinuxProcess
import LinuxSystem
import Measurement
import Symbolication
import Testing

@Suite("Stubs of procedure linkage tables against the disassembler")
struct ProcedureLinkageTests {
    /// Every stub that objdump labels, at its first and a later instruction.
    private func compare(_ fixture: Fixture, _ path: String, disassembler: String, stubSize: UInt64) throws
        -> Int
    {
        var labels: [(address: UInt64, name: String)] = []
        for line in try fixture.run(disassembler, "-d", path).split(separator: "\n")
        where line.hasSuffix("@plt>:") {
            let fields = line.split(separator: " ")
            let address = try #require(UInt64(fields[0], radix: 16))
            labels.append((address, String(fields[1].dropFirst().dropLast(2))))
        }
        let addresses = labels.flatMap { [$0.address, $0.address + stubSize / 2] }
        let found = try fixture.symbolize(path, addresses)
        for label in labels {
            for address in [label.address, label.address + stubSize / 2] {
                #expect(found[address]?.function == .value(label.name), "at \(String(address, radix: 16))")
                #expect(found[address]?.key == label.name)
            }
        }
        return labels.count
    }

    @Test(
        "for x86-64 in every layout",
        arguments: [
            ["-Wl,-z,lazy"], ["-Wl,-z,now"], ["-Wl,-z,lazy", "-fcf-protection", "-Wl,-z,ibtplt"], ["-no-pie"],
            ["-fuse-ld=gold"],
        ])
    func x86(options: [String]) throws {
        let fixture = try Fixture()
        try fixture.run(["gcc", "-O1"] + options + ["\(Fixture.sources)/work.c", "-o", "work"])
        // Eight-byte stubs stand among sixteen-byte ones: half of the smaller size is inside both.
        #expect(try compare(fixture, fixture.directory + "/work", disassembler: "objdump", stubSize: 8) >= 5)
        try fixture.run("strip", "work")
        #expect(try compare(fixture, fixture.directory + "/work", disassembler: "objdump", stubSize: 8) >= 5)
    }

    @Test(
        "for aarch64, with and without landing pads",
        .enabled(if: Programs.path(of: "llvm-objdump") != nil), arguments: ["none", "standard"])
    func arm(protection: String) throws {
        let fixture = try Fixture()
        let path = try fixture.compile(
            "clang", "stubs.c", to: "libstubs.so", "--target=aarch64-linux-gnu", "-shared", "-nostdlib",
            "-fuse-ld=lld", "-O1", "-fPIC", "-mbranch-protection=\(protection)",
            protection == "none" ? "-Wl,-z,now" : "-Wl,-z,force-bti")
        let listing = try fixture.run("llvm-objdump", "-d", path)
        let labelled = listing.split(separator: "\n").filter { $0.hasSuffix("@plt>:") }
        let stubs = try labelled.map { try #require(UInt64($0.split(separator: " ")[0], radix: 16)) }
        let found = try fixture.symbolize(path, stubs.flatMap { [$0, $0 + 4, $0 + 8] })
        for (stub, label) in zip(stubs, labelled) {
            let name = String(label.split(separator: " ")[1].dropFirst().dropLast(2))
            for offset in [0, 4, 8] as [UInt64] {
                #expect(found[stub + offset]?.function == .value(name), "\(protection) +\(offset)")
            }
        }
        #expect(stubs.count == 2)
    }

    @Test("for a static program, whose stubs lead to resolvers")
    func staticProgram() throws {
        let fixture = try Fixture()
        let path = try fixture.compile("gcc", "work.c", to: "work", "-O1", "-static")
        let sections = try fixture.run("readelf", "-SW", path).split(separator: "\n")
        let line = try #require(sections.first { $0.contains(" .plt ") || $0.contains(" .iplt ") })
        let fields = line.split(separator: " ")
        let start = try #require(
            fields.firstIndex(of: "PROGBITS").flatMap { UInt64(fields[$0 + 1], radix: 16) })
        let found = try fixture.symbolize(path, [start, start + 16])
        for address in [start, start + 16] {
            let name = try #require(found[address]?.function.value)
            #expect(name.hasSuffix("@plt") && name.count > 6)
        }
    }
}
