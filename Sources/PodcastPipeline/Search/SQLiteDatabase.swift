internal import CSQLite
internal import Measurement

/// Why something in a database failed: SQLite's words.
struct SQLiteError: Error, Equatable {
    var code: Int32
    var message: String
    var isFull: Bool { code & 0xFF == SQLITE_FULL }
}

/// An open SQLite database, closed when its owner is gone. Used by one thread.
struct SQLiteDatabase: ~Copyable {
    private let handle: OpaquePointer

    /// Opens a database: an existing one for reading, or a new file for writing.
    static func open(_ path: String, creating: Bool) throws(SQLiteError) -> SQLiteDatabase {
        var opened: OpaquePointer?
        let flags =
            creating
            ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_EXCLUSIVE : SQLITE_OPEN_READONLY
        let code = sqlite3_open_v2(path, &opened, flags | SQLITE_OPEN_NOFOLLOW, nil)
        guard code == SQLITE_OK, let opened else {
            let message = opened.flatMap { sqlite3_errmsg($0) }.map { String(cString: $0) } ?? "out of memory"
            sqlite3_close_v2(opened)
            throw SQLiteError(code: code, message: message)
        }
        let database = SQLiteDatabase(handle: opened)
        // A file from elsewhere must not run anything, and its text is bounded.
        sqlite3_limit(opened, SQLITE_LIMIT_LENGTH, 64 << 20)
        if !creating { try database.execute("PRAGMA trusted_schema = OFF") }
        return database
    }

    private init(handle: OpaquePointer) {
        self.handle = handle
    }

    deinit {
        sqlite3_close_v2(handle)
    }

    /// Runs statements that return nothing.
    func execute(_ statements: String) throws(SQLiteError) {
        let code = sqlite3_exec(handle, statements, nil, nil, nil)
        guard code == SQLITE_OK else { throw failure(code) }
    }

    /// A value bound to a statement.
    enum Value {
        case text(String)
        case integer(Int64)
        case real(Double)
        case blob([UInt8])
        case null
    }

    /// Runs one statement for each list of values; rows are handed to the function.
    func run(
        _ text: String, with lists: some Sequence<[Value]>, row: (Row) -> Void = { _ in }
    ) throws(SQLiteError) {
        var prepared: OpaquePointer?
        let code = sqlite3_prepare_v2(handle, text, -1, &prepared, nil)
        guard code == SQLITE_OK, let prepared else { throw failure(code) }
        defer { sqlite3_finalize(prepared) }
        for values in lists {
            for (index, value) in values.enumerated() { try bind(value, to: prepared, at: Int32(index + 1)) }
            while true {
                let code = sqlite3_step(prepared)
                if code == SQLITE_DONE { break }
                guard code == SQLITE_ROW else { throw failure(code) }
                row(Row(statement: prepared))
            }
            sqlite3_reset(prepared)
        }
    }

    private func bind(_ value: Value, to statement: OpaquePointer, at index: Int32) throws(SQLiteError) {
        let code: Int32
        switch value {
        case .text(let text):
            code = csqlite_bind_text(statement, index, text, Int32(clamping: text.utf8.count))
        case .integer(let number): code = sqlite3_bind_int64(statement, index, number)
        case .real(let number): code = sqlite3_bind_double(statement, index, number)
        case .blob(let bytes): code = csqlite_bind_blob(statement, index, bytes, Int32(clamping: bytes.count))
        case .null: code = sqlite3_bind_null(statement, index)
        }
        guard code == SQLITE_OK else { throw failure(code) }
    }

    private func failure(_ code: Int32) -> SQLiteError {
        SQLiteError(code: code, message: PlainText.sanitized(String(cString: sqlite3_errmsg(handle))))
    }

    /// A row while it is visited.
    struct Row {
        fileprivate let statement: OpaquePointer

        func text(_ column: Int32) -> String {
            sqlite3_column_text(statement, column).map { String(cString: $0) } ?? ""
        }
        func integer(_ column: Int32) -> Int { Int(sqlite3_column_int64(statement, column)) }
        func real(_ column: Int32) -> Double { sqlite3_column_double(statement, column) }
        func blob(_ column: Int32) -> [UInt8] {
            let count = Int(sqlite3_column_bytes(statement, column))
            guard count > 0, let start = sqlite3_column_blob(statement, column) else { return [] }
            return Array(UnsafeRawBufferPointer(start: start, count: count))
        }
    }
}
