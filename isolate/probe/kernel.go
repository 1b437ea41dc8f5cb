package probe

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/cpu"
	"golang.org/x/sys/unix"
)

var kernel = []feature{
	{"kernel", "version", false,
		"6.1 is the oldest that workers are sealed on; what younger ones add to the locks is told with each",
		"install a newer kernel: Debian 12 has 6.1, and 6.12 in bookworm-backports", tryVersion},
	{"kernel", "architecture", false,
		"the system call tables and the heap image are made for amd64 and arm64",
		"use another machine", tryArchitecture},
	{"kernel", "capabilities of root", false,
		"the launcher makes namespaces, changes users and reads workers' /proc",
		"run it outside of a container, or give that container the missing capabilities", tryCapabilities},
	{"kernel", "aes", true,
		"channels are encrypted with AES-GCM; without it with ChaCha20-Poly1305, at a third of the speed",
		"nothing to do: the processor does not have it", tryAES},
	{"kernel", "pressure stall information", true,
		"telling that memory runs short before it does",
		"CONFIG_PSI=y, and boot with psi=1", tryPSI},
}

// oldest is the kernel version that has every required feature.
var oldest = [2]int{6, 1}

func tryVersion(context.Context, Options) finding {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return absent(err.Error())
	}
	release := unix.ByteSliceToString(u.Release[:])
	major, minor, err := parseVersion(release)
	if err != nil {
		return absent(err.Error())
	}
	if major < oldest[0] || major == oldest[0] && minor < oldest[1] {
		return absent(release)
	}
	return there(release)
}

// parseVersion reads the first two numbers of a release such as 6.1.0-13-amd64.
func parseVersion(release string) (major, minor int, err error) {
	first, rest, _ := strings.Cut(release, ".")
	digits := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
	if digits >= 0 {
		rest = rest[:digits]
	}
	major, err = strconv.Atoi(first)
	if err == nil {
		minor, err = strconv.Atoi(rest)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("cannot read kernel release %q", release)
	}
	return major, minor, nil
}

func tryArchitecture(context.Context, Options) finding {
	switch runtime.GOARCH {
	case "amd64", "arm64":
		return there(runtime.GOARCH)
	}
	return absent(runtime.GOARCH)
}

// needed are the capabilities that the launcher uses.
var needed = []struct {
	bit  int
	name string
}{
	{unix.CAP_CHOWN, "chown"}, {unix.CAP_DAC_OVERRIDE, "dac_override"}, {unix.CAP_FOWNER, "fowner"},
	{unix.CAP_KILL, "kill"}, {unix.CAP_SETGID, "setgid"}, {unix.CAP_SETUID, "setuid"},
	{unix.CAP_SETPCAP, "setpcap"}, {unix.CAP_SYS_CHROOT, "sys_chroot"},
	{unix.CAP_SYS_PTRACE, "sys_ptrace"}, {unix.CAP_SYS_ADMIN, "sys_admin"},
}

func tryCapabilities(context.Context, Options) finding {
	if os.Geteuid() != 0 {
		return onlyRoot()
	}
	have, err := statusHex("/proc/self/status", "CapEff:")
	if err != nil {
		return absent(err.Error())
	}
	var lacking []string
	for _, c := range needed {
		if have&(1<<c.bit) == 0 {
			lacking = append(lacking, "CAP_"+strings.ToUpper(c.name))
		}
	}
	if len(lacking) > 0 {
		return absent("without " + strings.Join(lacking, ", "))
	}
	return there("all that are used")
}

// statusHex reads one hexadecimal line of a /proc/PID/status file.
func statusHex(path, field string) (uint64, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if value, ok := strings.CutPrefix(lines.Text(), field); ok {
			return strconv.ParseUint(strings.TrimSpace(value), 16, 64)
		}
	}
	return 0, fmt.Errorf("%s has no line %s", path, field)
}

func tryAES(context.Context, Options) finding {
	if cpu.X86.HasAES && cpu.X86.HasPCLMULQDQ || cpu.ARM64.HasAES && cpu.ARM64.HasPMULL {
		return there("in the processor")
	}
	return absent("not in the processor")
}

func tryPSI(context.Context, Options) finding {
	_, err := os.ReadFile("/proc/pressure/memory")
	return result(err, "/proc/pressure")
}
