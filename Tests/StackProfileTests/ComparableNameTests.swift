import Measurement
import StackProfile
import Testing

@Suite("Names that are compared between builds")
struct ComparableNameTests {
    @Test(
        "What compilers add at will is dropped",
        arguments: [
            ("decode.constprop.0.isra.3", "decode"), ("decode.cold", "decode"),
            ("decode.llvm.12345", "decode"),
            (
                "std::vector<int>::push_back(int&&) [clone .isra.0] [clone .cold]",
                "std::vector<int>::push_back(int&&)"
            ),
            ("specialized Index.add(_:)", "Index.add(_:)"), ("merged Index.add(_:)", "Index.add(_:)"),
            ("memcpy@@GLIBC_2.14", "memcpy"), ("memcpy@plt", "memcpy@plt"),
            ("core::fmt::write::h0123456789abcdef", "core::fmt::write"),
            ("core::fmt::write::h0123", "core::fmt::write::h0123"), ("f", "f"), ("", ""), (".cold", ".cold"),
            ("operator<(a, b)", "operator<(a, b)"), ("x.y.Class.method", "x.y.Class.method"),
        ])
    func functions(name: String, expected: String) {
        #expect(ComparableName.of(function: name) == expected)
    }

    @Test(
        "Versions of libraries are dropped",
        arguments: [
            ("libc-2.31.so", "libc.so"), ("libc.so.6", "libc.so"), ("/usr/lib/libfoo.so.1.2.3", "libfoo.so"),
            ("pipeline", "pipeline"), ("perf-123.map", "perf.map"), ("lib-x.so", "lib-x.so"), ("", ""),
        ])
    func modules(name: String, expected: String) {
        #expect(ComparableName.of(module: name) == expected)
    }

    @Test("Functions of one name in two modules of a side stay apart")
    func ambiguousNames() throws {
        var older = StackProfileBuilder()
        try older.add([Frame("init", module: "a"), Frame("init", module: "b")])
        var newer = StackProfileBuilder()
        try newer.add([Frame("init", module: "b"), Frame("init", module: "a"), Frame("go", module: "c")])
        let union = UnionTree(before: older.build(), after: newer.build())
        #expect(union.functions.count == 3)
        #expect(union.tree.count == 6)
    }

    @Test("Lines and guesses make no other function")
    func oneFunction() throws {
        var older = StackProfileBuilder()
        try older.add([Frame("f", module: "a", line: 3, traits: .guessed)])
        var newer = StackProfileBuilder()
        try newer.add([Frame("f", module: "a", file: "f.c", line: 9)])
        let union = UnionTree(before: older.build(), after: newer.build())
        #expect(union.functions == [Frame("f", module: "a", file: "f.c", line: 9)])
        #expect(union.tree.count == 2)
    }
}
