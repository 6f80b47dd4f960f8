import LinuxProcess
import LinuxSystem
import Symbolication
import Testing

@Suite("Names")
struct NameTests {
    @Test(
        "are shown short",
        arguments: [
            ("$s15PodcastPipeline7DecoderV6decodeyS2iF", "PodcastPipeline.Decoder.decode(_:)"),
            ("$s1m1CC3runySSSiYaKFSiScGySiGzYaXEfU_SiyYacfU_TQ0_", "closure #1 in closure #1 in m.C.run(_:)"),
            (
                "$s1m1CC3runySSSiYaKFSiScGySiGzYaXEfU_SiyYacfU_TA",
                "partial apply for closure #1 in closure #1 in m.C.run(_:)"
            ),
            (
                "$s15podcast_scraper15CommandLineTool8ExitCodeOAB15ParsedArgumentsVYbAB0E7FailureVYKcfU_",
                "closure #1 in podcast_scraper"
            ),
            ("$s1m1MV4mainyyYaKFZTf4d_nTY0_", "specialized static m.M.main()"),
            ("$s1m1CCAA1PA2aDP3runySSSiYaKFTW", "protocol witness for P.run(_:) in conformance m.C"),
            ("$s1m1CC1zSDySSSiGvM.resume.0", "m.C.z.modify"),
            (
                "$s1m1CC19$__lazy_storage_$_z33_F3388FBAA0297E3C726B67F885BE42C9LLSDySSSiGSgvpfi",
                "variable initialization expression of m.C.$__lazy_storage_$_z"
            ),
            ("$sSS_SitWOhTm", "outlined destroy of (String, Int)"),
            (
                "$ss22_ContiguousArrayBufferV20_consumeAndCreateNewAByxGyFSi_Tg5",
                "specialized _ContiguousArrayBuffer._consumeAndCreateNew()"
            ),
            ("$sSa1mSiRszlE6summedSiyF", "Array<A>.summed()"),
            ("_ZN6shapes5orderERSt6vectorIiSaIiEE", "shapes::order(std::vector<int, std::allocator<int> >&)"),
            ("_ZN4core3fmt9Formatter9write_str17h0123456789abcdefE", "core::fmt::Formatter::write_str"),
            (
                "_ZN61_$LT$alloc..vec..Vec$LT$T$GT$$u20$as$u20$core..fmt..Debug$GT$3fmt17h0123456789abcdefE.llvm.77",
                "<alloc::vec::Vec<T> as core::fmt::Debug>::fmt"
            ),
            ("_RNvNtCs1_4core3fmt5write", "core::fmt::write"),
            ("malloc", "malloc"), ("_Zgarbage", "_Zgarbage"), ("$sgarbage", "$sgarbage"), ("", ""),
            ("evil\u{1B}[2J\n", "evil\u{FFFD}[2J\u{FFFD}"),
        ])
    func display(mangled: String, shown: String) {
        #expect(Demangling.displayName(of: mangled) == shown)
    }

    @Test(
        "are compared without what compilers add at will",
        arguments: [
            ("foo.cold", "foo"), ("foo.part.0", "foo"), ("foo.constprop.0.isra.12", "foo"),
            ("foo.isra.0.cold", "foo"), ("foo.llvm.1234567890123", "foo"), ("foo.lto_priv.3", "foo"),
            ("foo.17", "foo"), ("foo.localalias", "foo"), ("foo.avx2", "foo.avx2"), (".cold", ".cold"),
            ("fopen@@GLIBC_2.2.5", "fopen"), ("fopen@GLIBC_2.1", "fopen"), ("malloc@plt", "malloc@plt"),
            ("memcpy@GLIBC_2.14@plt", "memcpy@plt"), ("@odd", "@odd"), ("", ""),
            ("_ZN6shapes5totalEv.cold", "shapes::total()"),
            ("_ZN6shapes5totalEi.constprop.0", "shapes::total(int)"),
            ("_ZN1a1b17h0123456789abcdefE.llvm.9", "a::b"), ("_ZN1a1b17hfedcba9876543210E", "a::b"),
            ("_RNvNtCs1_4core3fmt5write.llvm.12", "core::fmt::write"),
            ("$s1m1CC3runySSSiYaKF", "m.C.run(Swift.Int) async throws -> Swift.String"),
            ("$s1m1CC3runySSSiYaKFTQ1_", "m.C.run(Swift.Int) async throws -> Swift.String"),
            ("$s1m1CC3runySSSiYaKFTY3_", "m.C.run(Swift.Int) async throws -> Swift.String"),
            ("$s1m1MV4mainyyYaKFZTf4d_nTQ1_", "static m.M.main() async throws -> ()"),
            ("$sSS_SitWOhTm", "outlined destroy of (Swift.String, Swift.Int)"),
            ("$s1m1CC1zSDySSSiGvM.resume.0", "m.C.z.modify : Swift.Dictionary<Swift.String, Swift.Int>"),
            (
                "$s1m1CC19$__lazy_storage_$_z33_F3388FBAA0297E3C726B67F885BE42C9LLSDySSSiGSgvpfi",
                "variable initialization expression of m.C.$__lazy_storage_$_z "
                    + ": Swift.Optional<Swift.Dictionary<Swift.String, Swift.Int>>"
            ),
            (
                "$s1m7DecoderV6decode_2bySix_Sbx_xtXEtFSi_Tg532$s1m1MV4mainyyYaKFZSbSi_SitXEfU_Tf1ncn_n",
                "m.Decoder.decode(_: A, by: (A, A) -> Swift.Bool) -> Swift.Int"
            ),
            (
                "$sxIeAgHr_xs5Error_pIegHrzo_s8SendableRzlTRSi_TG5TATQ0_",
                "reabstraction thunk helper <A where A: Swift.Sendable> from @escaping @isolated(any) "
                    + "@callee_guaranteed @async () -> (@out A) to @escaping @callee_guaranteed @async () -> "
                    + "(@out A, @error @owned Swift.Error)"
            ),
        ])
    func keys(mangled: String, key: String) {
        #expect(NormalizedName.key(for: mangled) == key)
    }

    @Test("of Rust agree with c++filt, crate hashes aside", .enabled(if: Programs.path(of: "rustc") != nil))
    func rust() throws {
        let fixture = try Fixture()
        try fixture.run(
            "rustc", "-O", "-g", "-C", "symbol-mangling-version=v0", "\(Fixture.sources)/names.rs", "-o",
            "names")
        let names = try fixture.functions(of: fixture.directory + "/names").map(\.name)
            .filter { $0.hasPrefix("_R") && !$0.contains(".") }
        // The standard library of older compilers has the older names: ours must be there at least.
        try #require(names.count > 5)
        try Files.replace(fixture.directory + "/list", with: names.joined(separator: "\n") + "\n")
        let truth = try fixture.run("sh", "-c", "c++filt < list").split(separator: "\n").map(String.init)
        try #require(truth.count == names.count)
        var differences: [String] = []
        for (name, expected) in zip(names, truth) {
            let plain = expected.replacing(/\[[0-9a-f]{1,16}\]/, with: "")
                .replacing(/: (bool|char|[iu](8|16|32|64|128|size))(?=[,>\]])/, with: "")
            let ours = NormalizedName.key(for: name)
            if ours != plain { differences.append("\(name)\n  \(ours)\n  \(plain)") }
        }
        #expect(
            differences.isEmpty,
            "\(differences.count) of \(names.count): \(differences.prefix(5).joined(separator: "\n"))")
    }

    @Test("of C++ that stand for gigabytes of text stay mangled", .timeLimit(.minutes(1)))
    func cxxBomb() {
        // pair<int, int>, then each the pair of the one before with itself.
        func bomb(levels: Int) -> String {
            let digits = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")
            return "_Z1f4pairIiiE"
                + (0..<levels).map { level in
                    let reference = level < 36 ? "S\(digits[level])_" : "S1\(digits[level - 36])_"
                    return "S_I\(reference)\(reference)E"
                }.joined()
        }
        #expect(Demangling.displayName(of: bomb(levels: 2)).hasPrefix("f(pair<int, int>, pair<pair<int"))
        for levels in 24...60 {
            #expect(NormalizedName.key(for: bomb(levels: levels)) == bomb(levels: levels))
        }
    }

    @Test("of C++ in real libraries are none of them taken for such")
    func cxxReal() throws {
        let fixture = try Fixture()
        let library = try #require(
            try MemoryMapping.ofProcess(CurrentProcess.pid).first { $0.path.contains("/libstdc++.so") }?.path)
        var names = try fixture.functions(of: library, "-D").map(\.name)
        names += try fixture.functions(of: fixture.compile("g++", "shapes.cpp", to: "shapes", "-O2")).map(
            \.name)
        let mangled = names.filter { $0.hasPrefix("_Z") }
        #expect(mangled.count > 2000)
        let kept = mangled.filter { NormalizedName.key(for: $0).hasPrefix("_Z") }
        #expect(kept.isEmpty)
    }

    @Test("made of noise end in time and in bounds", .timeLimit(.minutes(1)))
    func noise() {
        var random = SplitMix(seed: 7)
        let seeds = [
            "_RNvXs4_NtCs1_4core3fmtINtB2_3VecTlReEENtB4_5Debug3fmt",
            "_RINvCs1_1a1bKj3_Kb1_DNtB2_1cEL_FG_RL0_hEuE",
            "_ZN61_$LT$alloc..vec..Vec$LT$T$GT$$u20$as$u20$core..fmt..Debug$GT$3fmt17h0123456789abcdefE",
            "$s1m7DecoderV6decode_2bySix_Sbx_xtXEtFSi_Tg5", "_ZNSt6vectorIiSaIiEE9push_backEOi.cold",
        ].map { Array($0.utf8) }
        for round in 0..<4000 {
            var name = seeds[round % seeds.count]
            for _ in 0..<1 + Int(random.next() % 6) {
                let index = Int(random.next() % UInt64(name.count))
                switch random.next() % 3 {
                case 0: name[index] = seeds[Int(random.next() % 5)].randomElement(using: &random) ?? 0x42
                case 1: name.insert(UInt8(truncatingIfNeeded: random.next()), at: index)
                default: name.removeSubrange(index..<min(name.count - 1, index + 3))
                }
            }
            let text = String(decoding: name, as: UTF8.self)
            #expect(Demangling.displayName(of: text).count <= 513)
            #expect(NormalizedName.key(for: text).count <= 4097)
        }
        // A back reference to a tuple of back references: the text doubles with every level.
        let bomb = "_RIC1a" + (0..<60).map { _ in "TB4_B4_E" }.joined() + "E"
        #expect(Demangling.displayName(of: bomb).count <= 513)
    }
}

/// Random numbers that are the same in every run.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
