internal import LinuxSystem
internal import Measurement
internal import PythonFrames
internal import StackProfile

/// A function of Python that ran in a counted run. Its names are sanitized. Pure.
struct PythonFunction: Hashable {
    /// `Class.method`; before 3.11 only the last part.
    var name: String
    /// As the compiler was given it.
    var file: String
    /// Where it begins, counted from 1.
    var line: Int

    /// As it stands in stacks. Its module is the file's name, with the directory's where that alone says something.
    var frame: Frame {
        let name = Files.name(of: file)
        let isPackage = name == "__init__.py" || name == "__main__.py"
        let directory = isPackage ? Files.name(of: Files.directory(of: file)) + "/" : ""
        return Frame(self.name, module: directory + name, file: file, line: line > 0 ? line : nil)
    }

    /// The functions in a file `codes-N`, by their numbers. What is cut off is left out: the process was killed meanwhile.
    ///
    /// Each has a line `ID LINE WIDTH LENGTH WIDTH LENGTH`, then the file's name and the function's in characters of as many
    /// bytes, and a line's end.
    static func functions(_ bytes: [UInt8]) -> [Int: PythonFunction] {
        var functions: [Int: PythonFunction] = [:]
        var rest = bytes[...]
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            let numbers = String(decoding: rest[..<end], as: UTF8.self).split(separator: " ").map {
                Int($0) ?? -1
            }
            guard numbers.count == 6, numbers.allSatisfy({ $0 >= 0 }), [1, 2, 4].contains(numbers[2]),
                [1, 2, 4].contains(numbers[4]), numbers[3] <= maximumText, numbers[5] <= maximumText,
                numbers[3] + numbers[5] <= rest.endIndex - end - 1
            else { break }
            let file = rest[(end + 1)..<(end + 1 + numbers[3])]
            let name = rest[file.endIndex..<(file.endIndex + numbers[5])]
            functions[numbers[0]] = PythonFunction(
                name: PlainText.sanitized(
                    PythonLayoutRecord.text(Array(name), width: numbers[4]), maximumCharacters: 512),
                file: PlainText.sanitized(
                    PythonLayoutRecord.text(Array(file), width: numbers[2]), maximumCharacters: 1024),
                line: numbers[1])
            rest = rest[name.endIndex...].dropFirst()
        }
        return functions
    }

    /// 1,024 characters of 4 bytes each.
    private static let maximumText = 4096
}
