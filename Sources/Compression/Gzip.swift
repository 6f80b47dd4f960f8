internal import CZlib

/// Gzip files in memory. The corresponding C library is zlib.
package enum Gzip {
    /// Why bytes could not be inflated.
    package enum Failure: Error, Equatable {
        case damaged
        case tooLong
    }

    private static let gzipWindow: Int32 = 15 + 16
    private static let chunkSize = 1 << 16
    /// zlib's own default. Level 9 takes up to thirty times the time for a few percent of size.
    private static let level: Int32 = 6

    package static func isGzip(_ bytes: [UInt8]) -> Bool { bytes.starts(with: [0x1F, 0x8B]) }

    /// The bytes as a gzip file without a name or a time, so that the same bytes give the same file.
    package static func compressed(_ bytes: [UInt8]) -> [UInt8] {
        var stream = z_stream()
        // Fails only without memory, and then Swift's own allocations stop the process too.
        let status = deflateInit2_(
            &stream, level, Z_DEFLATED, gzipWindow, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        precondition(status == Z_OK, "zlib could not be started")
        defer { deflateEnd(&stream) }
        var output: [UInt8] = []
        var input = bytes
        input.withUnsafeMutableBufferPointer { buffer in
            var rest = buffer[...]
            var isFinished = false
            while !isFinished {
                // zlib counts its input in 32 bits.
                let part = UnsafeMutableBufferPointer(rebasing: rest.prefix(1 << 30))
                stream.next_in = part.baseAddress
                stream.avail_in = UInt32(part.count)
                rest = rest.dropFirst(part.count)
                let flush = rest.isEmpty ? Z_FINISH : Z_NO_FLUSH
                repeat {
                    isFinished = step(&stream, &output) { deflate(&$0, flush) } == Z_STREAM_END
                } while !isFinished && stream.avail_out == 0
            }
        }
        return output
    }

    /// The bytes that a gzip file holds, of all its members: `cat a.gz b.gz` is a gzip file too. Zeros that fill up a tape
    /// or a disk block may follow; anything else that does is damage.
    package static func inflated(_ bytes: [UInt8], limit: Int) throws(Failure) -> [UInt8] {
        var stream = z_stream()
        guard bytes.count <= Int(UInt32.max),
            inflateInit2_(&stream, gzipWindow, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
        else { throw .damaged }
        defer { inflateEnd(&stream) }
        var output: [UInt8] = []
        var input = bytes
        var failure: Failure?
        input.withUnsafeMutableBufferPointer { buffer in
            stream.next_in = buffer.baseAddress
            stream.avail_in = UInt32(buffer.count)
            while failure == nil {
                switch step(&stream, &output, { inflate(&$0, Z_NO_FLUSH) }) {
                case Z_STREAM_END:
                    let rest = buffer[(buffer.count - Int(stream.avail_in))...]
                    guard rest.contains(where: { $0 != 0 }) else { return }
                    guard isGzip(Array(rest.prefix(2))), inflateReset(&stream) == Z_OK else {
                        failure = .damaged
                        continue
                    }
                    if output.count > limit { failure = .tooLong }
                // A step that fills its chunk has more to give; one that does not is out of input.
                case Z_OK where stream.avail_out == 0 || stream.avail_in > 0:
                    if output.count > limit { failure = .tooLong }
                default: failure = .damaged
                }
            }
        }
        if let failure { throw failure }
        guard output.count <= limit else { throw .tooLong }
        return output
    }

    /// Lets zlib fill one chunk and appends it.
    private static func step(
        _ stream: inout z_stream, _ output: inout [UInt8], _ call: (inout z_stream) -> Int32
    ) -> Int32 {
        var status: Int32 = Z_OK
        output += [UInt8](unsafeUninitializedCapacity: chunkSize) { buffer, count in
            stream.next_out = buffer.baseAddress
            stream.avail_out = UInt32(chunkSize)
            status = call(&stream)
            count = chunkSize - Int(stream.avail_out)
        }
        return status
    }
}
