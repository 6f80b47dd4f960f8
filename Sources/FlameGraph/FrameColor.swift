internal import StackProfile

/// The colour class of a rectangle, and the rules of the classes.
///
/// Code of one module has one hue, so that its parts of a picture are seen at a glance; the function decides the
/// shade. Without a module the namespace, or the source file, stands for it.
struct FrameColor: Hashable, Comparable {
    let hue: Int
    let shade: Int

    static let hueCount = 28
    static let shadeCount = 3

    init(_ frame: Frame) {
        hue = Int(Self.hash(Self.family(of: frame)) % UInt32(Self.hueCount))
        shade = Int(Self.hash(frame.function[...]) % UInt32(Self.shadeCount))
    }

    var className: String { "c\(hue)-\(shade)" }

    /// Pastel under black text; the same hue, dark, under white text.
    var light: (red: Int, green: Int, blue: Int) {
        Self.rgb(hue: Double(hue) * 10, saturation: 0.62, lightness: [0.80, 0.76, 0.84][shade])
    }
    var dark: (red: Int, green: Int, blue: Int) {
        Self.rgb(hue: Double(hue) * 10, saturation: 0.34, lightness: [0.28, 0.25, 0.31][shade])
    }

    /// The rule of the class. Renderers that do not know `light-dark` keep the first declaration.
    var rule: String {
        let (day, night) = (Self.hex(light), Self.hex(dark))
        return ".freeze-flamegraph .\(className) rect{fill:\(day);fill:light-dark(\(day),\(night))}"
    }

    static func < (left: FrameColor, right: FrameColor) -> Bool {
        (left.hue, left.shade) < (right.hue, right.shade)
    }

    private static func family(of frame: Frame) -> Substring {
        if let module = frame.module { return module[...] }
        if frame.function.hasSuffix("_[k]") { return "[kernel]" }
        if let file = frame.file { return file[...] }
        let bytes = frame.function.utf8
        if let colon = bytes.firstIndex(of: UInt8(ascii: ":")), colon > bytes.startIndex,
            bytes[colon...].starts(with: "::".utf8)
        {
            return frame.function[..<colon]
        }
        return frame.function[...]
    }

    private static func hash(_ text: Substring) -> UInt32 {
        var hash: UInt32 = 2_166_136_261
        for byte in text.utf8 { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
        // The low bits of FNV-1a alone spread short names badly.
        return (hash ^ hash >> 15) &* 0x85EB_CA6B >> 3
    }

    static func rgb(hue: Double, saturation: Double, lightness: Double) -> (red: Int, green: Int, blue: Int) {
        let amplitude = saturation * min(lightness, 1 - lightness)
        func channel(_ offset: Double) -> Int {
            let position = (offset + hue / 30).truncatingRemainder(dividingBy: 12)
            let value = lightness - amplitude * max(-1, min(position - 3, 9 - position, 1))
            return Int((value * 255).rounded())
        }
        return (channel(0), channel(8), channel(4))
    }

    static func hex(_ color: (red: Int, green: Int, blue: Int)) -> String {
        "#"
            + [color.red, color.green, color.blue].map { value in
                (value < 16 ? "0" : "") + String(value, radix: 16)
            }.joined()
    }
}
