internal import StackProfile

/// Which frames are those of an interpreter, not of the program that it runs.
enum Interpreters {
    /// Whether a frame is an interpreter's loop or a nameless function of its file, or stands for interpreted functions that
    /// were not read: whatever changed, it is not what was changed.
    static func isOwn(_ frame: Frame) -> Bool {
        if frame == .unreadPython { return true }
        guard let module = frame.module, isFile(module) else { return false }
        return frame.isUnknown || loops.contains(where: frame.function.hasPrefix)
    }

    /// Names of CPython's loop and of what leads to it.
    private static let loops = [
        "_PyEval_", "PyEval_", "_PyFunction_", "_TAIL_CALL_", "PyObject_Call", "_PyObject_Call",
        "PyObject_Vectorcall",
        "Py_BytesMain", "Py_RunMain",
    ]

    private static func isFile(_ module: String) -> Bool {
        module.hasPrefix("python") || module.hasPrefix("libpython")
    }
}
