#!/bin/sh
# Stands in for `go build` where there is no Go: hands over what the same
# command built before the machine was started (see suite.go).
command="$PWD"
while [ $# -gt 0 ]; do
	case $1 in
	-o) out=$2 && shift ;;
	-buildvcs=*) ;;
	*) command="$command $1" ;;
	esac
	shift
done
key=$(printf %s "$command" | md5sum)
[ -e "/built/${key%% *}" ] || {
	echo "not built before the machine was started, add it to test/vm/suite.go: $command" >&2
	exit 1
}
exec cp "/built/${key%% *}" "$out"
