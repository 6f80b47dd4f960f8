import LinuxProcess
import LinuxSystem
import Measurement
import Symbolication
import Testing

enum Landmark {
    @inline(never)
    static func recognisable(_ value: Int) -> Int {
        [value].map { $0 &* 31 }[0]
    }
}

@Suite("The running Swift program")
struct SwiftProgramTests {
    @Test("names its own functions, with module, type and line")
    func ownFunctions() throws {
        #expect(Landmark.recognisable(2) == 62)
        let path = try Files.linkTarget("/proc/self/exe")
        let fixture = try Fixture()
        let functions = try fixture.functions(of: path).filter {
            $0.name.contains("8LandmarkO12recognisable")
        }
        let plain = try #require(functions.first { $0.name.hasSuffix("yS2iFZ") })
        let closure = try #require(functions.first { $0.name.hasSuffix("XEfU_") })
        let found = try fixture.symbolize(path, [plain.address + 1, closure.address + 1], inlines: true)
        let function = try #require(found[plain.address + 1])
        #expect(function.function == .value("static SymbolicationTests.Landmark.recognisable(_:)"))
        #expect(function.key == "static SymbolicationTests.Landmark.recognisable(Swift.Int) -> Swift.Int")
        #expect(function.mangled == plain.name)
        #expect(function.file?.hasSuffix("/SwiftProgramTests.swift") == true)
        #expect(
            found[closure.address + 1]?.function
                == .value("closure #1 in static SymbolicationTests.Landmark.recognisable(_:)"))
    }
}
