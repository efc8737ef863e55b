# exits.sh STATUS COMMAND...: runs the command, its standard error joined to its output, and succeeds if it ends with
# STATUS.
expected=$1
shift
"$@" 2>&1
status=$?
[ "$status" = "$expected" ] && exit 0
echo "exits.sh: '$*' ended with status $status, expected $expected"
exit 1
