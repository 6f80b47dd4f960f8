internal import Glibc

/// Whether a descriptor that is not read has data to read.
public enum UnreadInput: String, Sendable {
    case pipe
    case file

    /// What has data left to read; nil for one that has none now, and for terminals, devices and sockets.
    public static func kind(of descriptor: Int32) -> UnreadInput? {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return nil }
        switch status.st_mode & S_IFMT {
        case S_IFREG:
            let place = lseek(descriptor, 0, SEEK_CUR)
            return place >= 0 && place < status.st_size ? .file : nil
        case S_IFIFO:
            // The end of a pipe without data wakes a poll too, but is no POLLIN.
            var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            return poll(&polled, 1, 0) > 0 && Int32(polled.revents) & Int32(POLLIN) != 0 ? .pipe : nil
        default: return nil
        }
    }
}
