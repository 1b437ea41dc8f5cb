package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// errNoStatus says that a machine ended before its plan did.
var errNoStatus = errors.New("the machine gave no exit status")

// bootTimeout bounds one boot with all its tests.
const bootTimeout = 15 * time.Minute

// diskSize is the machine's disk, of which only what is written takes room.
const diskSize = 512 << 20

// boot runs a machine and hands what its tests print to r.
func boot(ctx context.Context, k kernel, initrd, disk string, r *report) error {
	ctx, cancel := context.WithTimeout(ctx, bootTimeout)
	defer cancel()
	if err := errors.Join(os.WriteFile(disk, nil, 0o600), os.Truncate(disk, diskSize)); err != nil {
		return err
	}
	out, port, err := os.Pipe()
	if err != nil {
		return err
	}
	defer out.Close()
	console := disk + ".console"
	cmd := exec.CommandContext(ctx, "qemu-system-x86_64", machine(k, initrd, disk, console)...)
	cmd.ExtraFiles = []*os.File{port} // descriptor 3
	var complaint strings.Builder
	cmd.Stderr = &complaint
	err = cmd.Start()
	port.Close()
	if err != nil {
		return err
	}
	_, readErr := io.Copy(r, out)
	err = errors.Join(cmd.Wait(), readErr)
	if r.done {
		return nil
	}
	if ctx.Err() != nil {
		err = fmt.Errorf("it was stopped: %w", ctx.Err())
	}
	return fmt.Errorf("%w: %v %s\n%s", errNoStatus, err, &complaint, lastLines(console, 20))
}

// machine gives qemu's arguments. For a reason:
//   - without the instruction cmpxchg16b (cx16), as without no_timer_check, some
//     kernels panic at random under this emulation;
//   - one thread for both processors: kernels since 6.12 patch their own text in
//     a way that several threads of emulation do not survive;
//   - the clock is the power management timer's, since the processor's own is
//     measured at boot against a host that does other things as well, and was seen
//     to run half as fast again;
//   - the tests' output goes to a file, since qemu's stdio waits for ever.
func machine(k kernel, initrd, disk, console string) []string {
	return []string{
		"-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
		"-machine", "q35", "-accel", "tcg,thread=single", "-cpu", "max,-cx16", "-smp", "2", "-m", "2048",
		"-kernel", k.image(), "-initrd", initrd,
		"-append", "console=ttyS0 quiet panic=-1 psi=1 no_timer_check clocksource=acpi_pm mitigations=off random.trust_cpu=on",
		"-serial", "file:" + console,
		"-device", "virtio-serial-pci",
		"-chardev", "file,id=report,path=/dev/fd/3,append=on",
		"-device", "virtserialport,chardev=report,name=report",
		"-drive", "file=" + disk + ",if=none,id=disk,format=raw,cache=unsafe",
		"-device", "virtio-blk-pci,drive=disk",
	}
}

// lastLines gives the end of a file, for a message.
func lastLines(path string, n int) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
