#!/bin/sh
# Process 1 of the machine: makes an ordinary Linux system around the tests,
# runs the steps of /plan, and turns the machine off.
export PATH=/stand-in:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root

# The first file system cannot be left by pivot_root(2), which every worker does:
# a copy of its mount, moved over it, can.
if [ -z "$MOVED" ]; then
	mount -o bind / /newroot
	cd /newroot
	mount -o move . /
	MOVED=1 exec chroot . /init
fi

mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs -o mode=1777 shm /dev/shm
# What is below /tmp already is the source tree, if that lies there.
[ -z "$(ls -A /tmp)" ] && mount -t tmpfs -o mode=1777 tmp /tmp
chmod 1777 /tmp
mount -t tmpfs -o mode=755 run /run
mount -t securityfs security /sys/kernel/security
mount -t cgroup2 -o nsdelegate,memory_recursiveprot cgroup2 /sys/fs/cgroup
for link in fd: stdin:/0 stdout:/1 stderr:/2; do
	ln -sf "/proc/self/fd${link#*:}" "/dev/${link%%:*}"
done
while read -r file; do insmod "/modules/$file"; done </modules/order
ip link set lo up
hostname vm
echo 1 >/proc/sys/dev/tty/legacy_tiocsti 2>/dev/null # since Linux 6.2: else an attack by it shows nothing

# What the tests say goes out through a port of its own, which appears a moment
# after its driver. Without it there is nobody to talk to.
tries=0
until [ -n "$port" ] || [ $((tries += 1)) -gt 1000 ]; do
	for p in /sys/class/virtio-ports/*; do
		[ "$(cat "$p/name" 2>/dev/null)" = report ] && [ -c "/dev/${p##*/}" ] && port=/dev/${p##*/}
	done
	[ -n "$port" ] || sleep 0.01
done
[ -n "$port" ] || { echo "no port to report on"; poweroff -f; }
exec >"$port" 2>&1

mke2fs /dev/vda >/dev/null 2>&1
mount -t ext2 /dev/vda /var/tmp || echo "cannot mount the disk"
chmod 1777 /var/tmp
echo "+cpu +io +memory +pids" >/sys/fs/cgroup/cgroup.subtree_control

# step NUMBER DIRECTORY GROUP COMMAND...: GROUP is a control group made for the
# command, as for a service, or "" for the top one.
step() {
	number=$1 dir=$2 group=$3
	shift 3
	echo "@vm begin $number"
	(
		cd "$dir" || exit
		if [ -n "$group" ]; then
			mkdir "/sys/fs/cgroup/$group"
			echo 0 >"/sys/fs/cgroup/$group/cgroup.procs"
		fi
		exec "$@"
	) </dev/null
	status=$?
	echo
	echo "@vm end $number $status"
}

. /plan
echo "@vm done"
sync
poweroff -f
