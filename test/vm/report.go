package main

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"
)

// report reads what a machine says and keeps what became of each step. It
// understands the lines of init.sh, "@vm begin N", "@vm end N STATUS" and
// "@vm done", and between them those of `go test -v`.
type report struct {
	kernel  string
	steps   []step
	verbose bool
	out     io.Writer

	rest    string // a line that is not complete yet
	done    bool   // the plan was run to its end
	results []result
}

// result is what became of one step.
type result struct {
	step    step
	took    time.Duration
	begun   time.Time
	status  string // its exit status
	passed  int
	failed  []string
	skipped map[string]string // test → the reason that it gave
	allowed []string          // of those skipped
	ended   bool
	output  []string
}

func (r *report) say(format string, args ...any) {
	fmt.Fprintf(r.out, "%-5s "+format+"\n", append([]any{r.kernel}, args...)...)
}

// Write takes a piece of what the machine says.
func (r *report) Write(b []byte) (int, error) {
	lines := strings.Split(r.rest+string(b), "\n")
	r.rest = lines[len(lines)-1]
	for _, line := range lines[:len(lines)-1] {
		r.line(strings.TrimRight(line, "\r"))
	}
	return len(b), nil
}

func (r *report) line(line string) {
	var number int
	var status string
	switch {
	case line == "@vm done":
		r.done = true
	case scan(line, "@vm begin %d", &number):
		r.results = append(r.results, result{step: r.steps[number], begun: time.Now(), skipped: map[string]string{}})
	case scan(line, "@vm end %d %s", &number, &status):
		now := &r.results[len(r.results)-1]
		now.end(r.kernel, status)
		r.show(now)
	case len(r.results) > 0:
		r.results[len(r.results)-1].test(line)
		fallthrough
	default:
		if r.verbose {
			r.say("%s", line)
		}
	}
}

func scan(line, format string, args ...any) bool {
	n, err := fmt.Sscanf(line, format, args...)
	return err == nil && n == len(args)
}

// verdict is the line in which `go test -v` tells how a test ended. Those of
// subtests are indented.
var verdict = regexp.MustCompile(`^ *--- (PASS|FAIL|SKIP): (\S+) \(`)

// reason is a line that a test printed with its place in the source.
var reason = regexp.MustCompile(`^ +\S+\.go:\d+: (.*)`)

// test takes a line of a test binary.
func (r *result) test(line string) {
	r.output = append(r.output, line)
	m := verdict.FindStringSubmatch(line)
	if m == nil {
		return
	}
	switch m[1] {
	case "PASS":
		r.passed++
	case "FAIL":
		r.failed = append(r.failed, m[2])
	case "SKIP":
		r.skipped[m[2]] = ""
	}
}

// end closes the step's account.
func (r *result) end(kernel, status string) {
	r.ended, r.status, r.took = true, status, time.Since(r.begun)
	r.reasons()
	for test := range r.skipped {
		if allowed(kernel, r.step.pkg, test) {
			r.allowed = append(r.allowed, test)
		}
	}
}

// reasons finds what each skipped test printed last, which follows the line that
// says that it runs.
func (r *result) reasons() {
	running := ""
	for _, line := range r.output {
		if scan(line, "=== RUN %s", &running) {
			continue
		}
		m := reason.FindStringSubmatch(line)
		if _, skipped := r.skipped[running]; skipped && m != nil {
			r.skipped[running] = m[1]
		}
	}
}

// allowed reports whether the suite lets a test skip.
func allowed(kernel, pkg, test string) bool {
	for _, a := range allowances {
		if (a.kernel == "" || a.kernel == kernel) && a.test.MatchString(pkg+" "+test) {
			return true
		}
	}
	return false
}

// problem says why a step has not passed, "" if it has. One in which nothing
// passed shows nothing.
func (r *result) problem() string {
	switch {
	case !r.ended:
		return "did not end"
	case len(r.failed) > 0:
		return fmt.Sprintf("%d failed", len(r.failed))
	case r.status != "0":
		return "exit status " + r.status
	case len(r.skipped) > len(r.allowed):
		return fmt.Sprintf("%d skipped that must not", len(r.skipped)-len(r.allowed))
	case r.passed == 0:
		return "no test ran"
	}
	return ""
}

// show prints a step that has ended, and everything that it said if it failed.
func (r *report) show(s *result) {
	problem := s.problem()
	word := "ok  "
	if problem != "" {
		word = "FAIL"
		if !r.verbose {
			for _, line := range s.output {
				r.say("    %s", line)
			}
		}
	}
	r.say("%s %-40s %4d passed %2d skipped %6.1fs  %s", word, s.step.name(), s.passed, len(s.skipped), s.took.Seconds(), problem)
	for test, why := range s.skipped {
		if !allowed(r.kernel, s.step.pkg, test) {
			r.say("     %s must not skip: %s", test, why)
		}
	}
}

// summary prints the totals, and gives an error that names what has not passed.
func (r *report) summary() error {
	var passed, skipped int
	var bad []string
	for i := range r.results {
		s := &r.results[i]
		passed, skipped = passed+s.passed, skipped+len(s.allowed)
		if problem := s.problem(); problem != "" {
			bad = append(bad, s.step.name()+" "+problem)
		}
	}
	if len(r.results) < len(r.steps) {
		bad = append(bad, fmt.Sprintf("%d packages did not run", len(r.steps)-len(r.results)))
	}
	r.say("%d of %d packages, %d tests passed, %d skipped for a known reason", len(r.results)-len(bad), len(r.steps), passed, skipped)
	if len(bad) > 0 {
		return errors.New(strings.Join(bad, "; "))
	}
	return nil
}
