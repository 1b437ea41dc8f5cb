package seccomp

import "slices"

// nativeTime: clocks are read and waited for, never set.
func nativeTime() []Rule {
	return slices.Concat(
		each("time gettimeofday clock_gettime clock_getres", "the time"),
		each("nanosleep clock_nanosleep alarm getitimer setitimer timer_create timer_settime timer_gettime timer_getoverrun timer_delete timerfd_create timerfd_settime timerfd_gettime",
			"sleeps and timers"),
		each("getrandom", "chance"),
	)
}
