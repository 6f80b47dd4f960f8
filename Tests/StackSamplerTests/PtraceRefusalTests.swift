import LinuxProcess
import LinuxSystem
import Testing

@testable import StackSampler

/// What the wall-clock sampler says when it may not.
@Suite struct PtraceRefusalTests {
    private func refusal(_ processID: Int32) -> SamplerError? {
        #expect(throws: SamplerError.self) { _ = try PtraceSampler.attach(toRunning: processID) }
    }

    @Test("A process that is not there")
    func gone() throws {
        var child = try ChildProcess.start(ChildRequest(["true"]))
        let pid = child.pid
        _ = try child.wait()
        #expect(refusal(pid) == .noSuchProcess(pid: pid))
        #expect(refusal(-1) == .noSuchProcess(pid: -1))
    }

    @Test("A process that has ended and was not waited for")
    func zombie() throws {
        var child = try ChildProcess.start(ChildRequest(["true"]))
        let pid = child.pid
        while ProcessStat.ofProcess(pid)?.hasEnded != true { SystemClock.sleep(for: .milliseconds(5)) }
        let error = refusal(pid)
        #expect(error == .zombie(pid: pid))
        #expect(
            error?.description
                == "Cannot sample process \(pid): it has ended and waits for its parent to ask for its exit status."
        )
        _ = try child.wait()
    }

    @Test("A process that is traced already: the error names the tracer")
    func traced() throws {
        let fixture = try NativeFixture("tracer")
        var target = try ChildProcess.start(ChildRequest(["sleep", "30"]))
        let pipe = try FileDescriptor.pipe()
        var request = ChildRequest([fixture.path, "\(target.pid)"])
        request.standardOutput = .descriptor(pipe.writeEnd.rawValue)
        var tracer = try ChildProcess.start(request)
        #expect(try pipe.takeReadEnd().read(upTo: 64) == Array("tracing\n".utf8))
        let error = refusal(target.pid)
        #expect(error == .alreadyTraced(pid: target.pid, by: tracer.pid, name: "tracer"))
        #expect(
            error?.description
                == "Cannot stop threads of process \(target.pid): process \(tracer.pid) (tracer) traces it, and a "
                + "thread can have one tracer only. End that one, or sample CPU time with perf events.")
        _ = try tracer.terminate(grace: .seconds(5))
        _ = try target.terminate(grace: .seconds(5))
        try fixture.remove()
    }

    @Test("A kernel thread", .enabled(if: ProcessStat.ofProcess(2)?.name == "kthreadd"))
    func kernelThread() {
        let error = refusal(2)
        #expect(error == .kernelThread(pid: 2))
        #expect(
            error?.description
                == "Cannot sample process 2: it is a kernel thread, which runs no program. Choose a process with a "
                + "command line.")
    }

    @Test("What a status file says about tracing")
    func status() {
        let text = "Name:\tx\nTracerPid:\t77\nUid:\t1000\t1001\t1000\t1000\nVmSize:\t  12 kB\n"
        let status = PtraceAccess.Status(Array(text.utf8))
        #expect(status.tracer == 77 && status.user == 1001 && !status.isKernelThread)
        #expect(PtraceAccess.Status([]).isKernelThread)
    }

    @Test("Refusals by user, by Yama and by a filter say what helps")
    func sentences() {
        #expect(
            SamplerError.otherUser(pid: 8, owner: 33).description
                == "Cannot stop threads of process 8: it belongs to the user with the number 33. Run as that user or "
                + "as root, or give CAP_SYS_PTRACE.")
        #expect(
            SamplerError.yama(pid: 8, scope: 1).description
                == "Cannot stop threads of process 8: kernel.yama.ptrace_scope is 1, so only a process's ancestors "
                + "may. Start it under the sampler, run as root, or run `sysctl kernel.yama.ptrace_scope=0` as root."
        )
        #expect(
            SamplerError.yama(pid: 8, scope: 2).description
                == "Cannot stop threads of process 8: kernel.yama.ptrace_scope is 2, so only CAP_SYS_PTRACE may. Run "
                + "as root, or give that capability.")
        #expect(
            SamplerError.yama(pid: 8, scope: 3).description
                == "Cannot stop threads of process 8: kernel.yama.ptrace_scope is 3, so no process may until the next "
                + "boot. Sample CPU time with perf events instead.")
        #expect(
            SamplerError.ptraceFiltered(reason: "Operation not permitted").description
                == "Cannot use ptrace: the kernel refuses it (Operation not permitted), as it does under the seccomp "
                + "profiles of containers. Allow it there, for instance with `--cap-add SYS_PTRACE`.")
    }
}
