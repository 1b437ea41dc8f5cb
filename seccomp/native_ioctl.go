package seccomp

import (
	"slices"
	"syscall"
)

// nativeIoctl: the requests of terminals, pipes, sockets and files that
// programs make. The kernel takes the request as an unsigned int (ioctl(2) has
// unsigned long, the system call has not) and so does the filter: whatever is in
// the upper half of the register, a request that is not here is refused.
func nativeIoctl() []Rule {
	return slices.Concat(
		anyOf("ioctl", "terminal settings; whether something is a terminal", 1, "request", []value{
			{0x5401, "TCGETS"}, {0x5402, "TCSETS"}, {0x5403, "TCSETSW"}, {0x5404, "TCSETSF"},
			{0x802c542a, "TCGETS2"}, {0x402c542b, "TCSETS2"}, {0x402c542c, "TCSETSW2"}, {0x402c542d, "TCSETSF2"},
			{0x5405, "TCGETA"}, {0x5406, "TCSETA"}, {0x5407, "TCSETAW"}, {0x5408, "TCSETAF"},
			{0x5413, "TIOCGWINSZ"}, {0x5414, "TIOCSWINSZ"},
		}),
		anyOf("ioctl", "a terminal's output and input", 1, "request", []value{
			{0x5409, "TCSBRK"}, {0x5425, "TCSBRKP"}, {0x540a, "TCXONC"}, {0x540b, "TCFLSH"}, {0x5411, "TIOCOUTQ"},
		}),
		anyOf("ioctl", "jobs; process 1 gives the program its terminal", 1, "request", []value{
			{0x540e, "TIOCSCTTY"}, {0x5422, "TIOCNOTTY"}, {0x540f, "TIOCGPGRP"}, {0x5410, "TIOCSPGRP"}, {0x5429, "TIOCGSID"}, {0x80045430, "TIOCGPTN"},
		}),
		anyOf("ioctl", "any descriptor", 1, "request", []value{
			{0x541b, "FIONREAD"}, {0x5421, "FIONBIO"}, {0x5450, "FIONCLEX"}, {0x5451, "FIOCLEX"}, {0x5452, "FIOASYNC"}, {0x5460, "FIOQSIZE"}, {2, "FIGETBSZ"},
		}),
		anyOf("ioctl", "attributes of files, to look at", 1, "request", []value{{0x80086601, "FS_IOC_GETFLAGS"}, {0x801c581f, "FS_IOC_FSGETXATTR"}}),
		[]Rule{
			answer("ioctl", syscall.EOPNOTSUPP, "copies try to share blocks first", is32(1, 0x40049409, "request is FICLONE")).quiet(),
			answer("ioctl", syscall.EOPNOTSUPP, "the same", is32(1, 0x4020940d, "request is FICLONERANGE")).quiet(),
			answer("ioctl", syscall.EOPNOTSUPP, "copies ask where blocks lie", is32(1, 0xc020660b, "request is FS_IOC_FIEMAP")).quiet(),
			refuse("ioctl", "types on the terminal in the operator's place", is32(1, 0x5412, "request is TIOCSTI")),
			refuse("ioctl", "the same by way of a virtual console's selection", is32(1, 0x541c, "request is TIOCLINUX")),
			refuse("ioctl", "puts seldom used kernel code behind a terminal", is32(1, 0x5423, "request is TIOCSETD")),
			refuse("ioctl", "takes the host's console", is32(1, 0x541d, "request is TIOCCONS")),
		},
	)
}
