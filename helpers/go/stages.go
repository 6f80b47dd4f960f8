// Package stages records for freeze-profile which stage a Go pipeline is in. Linux, the standard library alone; one file
// to copy.
//
//	for i, url := range urls {
//		stage := stages.Begin("media_download", i+1, len(urls))
//		download(url)
//		stage.End()
//	}
//	stages.Finish()
//
// Each begin and end appends a line to the event trace and replaces the file PIPELINE_STATUS_FILE, so that a reader never
// sees half of it. Stages may be nested, and may run in several goroutines. Without the variable nothing is written; a
// file that cannot be written is reported once on standard error, and the pipeline goes on.
package stages

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

const (
	// Up to this size in bytes the history is always written; a longer one when as much else has been written since.
	smallHistory = 4096
	// Entries beyond this size are left out: readers take files of up to 256 KiB.
	maximumHistory = 192 << 10
)

// A Moment is one moment by the clocks that an event is stamped with, in nanoseconds.
type Moment struct {
	// CLOCK_MONOTONIC, and the time since the epoch.
	Monotonic, Epoch int64
	// CPU time of this process and of the children that it has waited for.
	CPU int64
}

// Now is the moment now.
func Now() Moment {
	var monotonic syscall.Timespec
	const clockMonotonic = 1
	syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, clockMonotonic, uintptr(unsafe.Pointer(&monotonic)), 0)
	var cpu int64
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var usage syscall.Rusage
		if syscall.Getrusage(who, &usage) == nil {
			cpu += usage.Utime.Nano() + usage.Stime.Nano()
		}
	}
	return Moment{Monotonic: monotonic.Nano(), Epoch: time.Now().UnixNano(), CPU: cpu}
}

// Status is the status of this process in one file.
type Status struct {
	mutex                        sync.Mutex
	path                         string
	now                          func() Moment
	startedAt                    int64
	accounts                     []*account // in order of first entry
	byName                       map[string]*account
	open                         []*Stage // the latest last
	shown                        shown
	historySize, writtenSinceOne int
	trace                        *os.File
	hasComplained                bool
}

// account is a stage, all its spans together. Times are nanoseconds.
type account struct {
	name                             string
	index, open, finished            int
	wall, work, cpu, since, cpuSince int64
	isShared                         bool
}

// Stage is a span of a stage.
type Stage struct {
	status       *Status
	account      *account
	index, total int
	start        int64
}

type shown struct {
	name         string
	since        int64
	index, total int
}

var shared = New(os.Getenv("PIPELINE_STATUS_FILE"), Now)

// Begin opens a span of a stage: item index, counted from 1, of total; zeroes where there is none.
func Begin(name string, index, total int) *Stage { return shared.Begin(name, index, total) }

// Finish closes what is open and says that the last stage is over.
func Finish() { shared.Finish() }

// New makes a status that writes to a path, or to nothing, with a clock.
func New(path string, now func() Moment) *Status {
	return &Status{path: path, now: now, startedAt: now().Epoch, byName: map[string]*account{}}
}

// Begin opens a span of a stage.
func (s *Status) Begin(name string, index, total int) *Stage {
	if s.path == "" {
		return nil
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	now := s.now()
	a := s.byName[name]
	if a == nil {
		a = &account{name: name, index: len(s.accounts)}
		s.byName[name] = a
		s.accounts = append(s.accounts, a)
	}
	stage := &Stage{status: s, account: a, index: index, total: total, start: now.Monotonic}
	s.open = append(s.open, stage)
	a.open++
	if a.open == 1 {
		a.since, a.cpuSince = now.Monotonic, now.CPU
		if active := s.active(); len(active) > 1 {
			for _, other := range active {
				other.isShared = true
			}
		}
	}
	s.write(event("begin", name, index, total, now), now, false)
	return stage
}

// End closes the span. Twice is once.
func (stage *Stage) End() {
	if stage == nil {
		return
	}
	s := stage.status
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for position, other := range s.open {
		if other == stage {
			now := s.now()
			s.write(s.close(position, now), now, false)
			return
		}
	}
}

// Finish closes what is open and says that the last stage is over.
func (s *Status) Finish() {
	if s.path == "" {
		return
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	now := s.now()
	var events []byte
	for len(s.open) > 0 {
		events = append(events, s.close(len(s.open)-1, now)...)
	}
	s.shown = shown{name: "done", since: now.Epoch}
	events = append(events, event("begin", "done", 0, 0, now)...)
	s.write(events, now, true)
}

func (s *Status) active() []*account {
	var active []*account
	seen := map[*account]bool{}
	for _, stage := range s.open {
		if !seen[stage.account] {
			seen[stage.account] = true
			active = append(active, stage.account)
		}
	}
	sort.Slice(active, func(i, j int) bool { return active[i].index < active[j].index })
	return active
}

func (s *Status) close(position int, now Moment) []byte {
	stage := s.open[position]
	s.open = append(s.open[:position:position], s.open[position+1:]...)
	a := stage.account
	a.open--
	a.finished++
	if a.finished == 1 {
		s.historySize += len(a.name) + 120
	}
	a.work += positive(now.Monotonic - stage.start)
	if a.open == 0 {
		a.wall += positive(now.Monotonic - a.since)
		a.cpu += positive(now.CPU - a.cpuSince)
	}
	s.shown = shown{a.name, now.Epoch - (now.Monotonic - stage.start), stage.index, stage.total}
	return event("end", a.name, stage.index, stage.total, now)
}

// A goroutine moves between threads, so an event names none.
func event(kind, name string, index, total int, now Moment) []byte {
	return encoded(struct {
		Event     string          `json:"event"`
		Stage     string          `json:"stage"`
		Episode   int             `json:"episode,omitempty"`
		Total     int             `json:"episode_total,omitempty"`
		PID       int             `json:"pid"`
		Monotonic int64           `json:"monotonic_ns"`
		Epoch     json.RawMessage `json:"epoch_s"`
		CPU       int64           `json:"process_cpu_ns"`
	}{kind, name, index, total, os.Getpid(), now.Monotonic, seconds(now.Epoch), now.CPU})
}

type entry struct {
	Stage   string          `json:"stage"`
	Entered int             `json:"entered"`
	Wall    json.RawMessage `json:"wall_s"`
	Work    json.RawMessage `json:"work_s"`
	CPU     json.RawMessage `json:"cpu_s"`
	Shared  bool            `json:"shared,omitempty"`
}

func (s *Status) text(now Moment, isFinal bool) []byte {
	current := s.shown
	if len(s.open) > 0 {
		stage := s.open[len(s.open)-1]
		current = shown{stage.account.name, now.Epoch - (now.Monotonic - stage.start), stage.index, stage.total}
	}
	fields := struct {
		Version   int             `json:"schema_version"`
		PID       int             `json:"pid"`
		Stage     string          `json:"stage"`
		StartedAt json.RawMessage `json:"started_at"`
		Since     json.RawMessage `json:"stage_started_at"`
		Index     int             `json:"episode_idx,omitempty"`
		Total     int             `json:"episode_total,omitempty"`
		Active    []string        `json:"active_stages"`
		History   *[]entry        `json:"history,omitempty"`
	}{1, os.Getpid(), current.name, seconds(s.startedAt), seconds(current.since), current.index, current.total,
		[]string{}, nil}
	for _, a := range s.active() {
		fields.Active = append(fields.Active, a.name)
	}
	hasHistory := isFinal || s.historySize <= smallHistory || s.writtenSinceOne >= s.historySize
	if hasHistory {
		history := s.history()
		fields.History = &history
	}
	text := encoded(fields)
	s.writtenSinceOne += len(text)
	if hasHistory {
		s.writtenSinceOne = 0
	}
	return text
}

func (s *Status) history() []entry {
	entries := []entry{}
	size := 0
	for _, a := range s.accounts {
		if a.finished == 0 {
			continue
		}
		size += 6*len(a.name) + 120
		if size > maximumHistory {
			break
		}
		entries = append(entries, entry{a.name, a.finished, seconds(a.wall), seconds(a.work), seconds(a.cpu), a.isShared})
	}
	return entries
}

func (s *Status) write(events []byte, now Moment, isFinal bool) {
	if err := s.tryWrite(events, s.text(now, isFinal)); err != nil {
		if !s.hasComplained {
			fmt.Fprintln(os.Stderr, "The stage status is not being recorded:", err)
		}
		s.hasComplained = true
	}
}

func (s *Status) tryWrite(events, text []byte) error {
	directory := filepath.Dir(s.path)
	const created = os.O_WRONLY | os.O_CREATE | syscall.O_NOFOLLOW // links are not followed
	if s.trace == nil {
		if err := os.MkdirAll(directory, 0o777); err != nil {
			return err
		}
		file, err := os.OpenFile(filepath.Join(directory, ".pipeline_events.jsonl"), created|os.O_APPEND, 0o666)
		if err != nil {
			return err
		}
		s.trace = file
	}
	if _, err := s.trace.Write(events); err != nil {
		return err
	}
	temporary := filepath.Join(directory, fmt.Sprintf(".pipeline_status.%d", os.Getpid()))
	file, err := os.OpenFile(temporary, created|os.O_TRUNC, 0o666)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	if closing := file.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return err
	}
	return os.Rename(temporary, s.path)
}

func encoded(value interface{}) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		return nil // there is nothing in these structures that has no text
	}
	return append(text, '\n')
}

func seconds(nanoseconds int64) json.RawMessage {
	return json.RawMessage(fmt.Sprintf("%d.%09d", nanoseconds/1e9, nanoseconds%1e9))
}

func positive(nanoseconds int64) int64 {
	if nanoseconds < 0 {
		return 0
	}
	return nanoseconds
}
