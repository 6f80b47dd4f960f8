internal import CLinux
internal import Glibc

/// A thread of our own, for work that must not run on Swift's cooperative pool: it blocks in `poll`, or its cost
/// is measured by its own clock.
///
/// All signals are blocked in it, so that handlers and `signalfd` readers elsewhere get them. Dropping it waits for
/// its end, so the owner has to make its body end first.
public struct DedicatedThread: ~Copyable {
    private let handle: pthread_t
    private var isJoined = false

    private init(handle: pthread_t) {
        self.handle = handle
    }

    deinit {
        if !isJoined { pthread_join(handle, nil) }
    }

    /// Starts a thread. The corresponding C function is `pthread_create`.
    ///
    /// - Parameters:
    ///   - name: What `ps -L` and debuggers show, up to 15 bytes.
    ///   - body: What the thread does. The thread ends with it.
    public static func start(
        name: String, _ body: @escaping @Sendable () -> Void
    ) throws(SystemError) -> DedicatedThread {
        let box = Unmanaged.passRetained(Body(name: name, run: body))
        var everySignal = sigset_t()
        var previous = sigset_t()
        sigfillset(&everySignal)
        // A new thread inherits its creator's mask: no moment is left in which a signal could arrive there.
        pthread_sigmask(SIG_SETMASK, &everySignal, &previous)
        var handle = pthread_t()
        let result = pthread_create(
            &handle, nil,
            { argument in
                guard let argument else { return nil }
                let body = Unmanaged<Body>.fromOpaque(argument).takeRetainedValue()
                clinux_set_thread_name(body.name)
                body.run()
                return nil
            }, box.toOpaque())
        pthread_sigmask(SIG_SETMASK, &previous, nil)
        guard result == 0 else {
            box.release()
            throw SystemError(action: "start the thread '\(name)'", code: result)
        }
        return DedicatedThread(handle: handle)
    }

    /// Waits for the thread's end. The corresponding C function is `pthread_join`.
    public consuming func join() {
        pthread_join(handle, nil)
        isJoined = true
    }

    private final class Body: Sendable {
        let name: String
        let run: @Sendable () -> Void

        init(name: String, run: @escaping @Sendable () -> Void) {
            self.name = name
            self.run = run
        }
    }
}
