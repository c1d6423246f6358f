# Runs a server for as long as the process that holds the other end of standard input lives.
#   keep-server.sh <signal when orphaned> <folder to empty when orphaned, or -> <command…>
# However that process ends, SIGKILL included, the pipe closes, and the server is told to end.
signal=$1
folder=$2
shift 2
exec 3<&0
"$@" </dev/null 3<&- &
server=$!
(
  read -r _ <&3
  # From here on it is for this guard to say that the owner is gone.
  trap '' TERM
  kill -s "$signal" "$server" 2>/dev/null
  pkill -CONT -P "$server" 2>/dev/null
  kill -s CONT "$server" 2>/dev/null
  tries=0
  while kill -0 "$server" 2>/dev/null; do
    tries=$((tries + 1))
    [ "$tries" -eq 50 ] && kill -s QUIT "$server" 2>/dev/null
    [ "$tries" -eq 100 ] && kill -s KILL "$server" 2>/dev/null
    [ "$tries" -ge 120 ] && break
    sleep 0.1
  done
  exit 7
) &
guard=$!
exec 3<&-
wait "$server"
code=$?
kill "$guard" 2>/dev/null
wait "$guard"
# The guard ended by itself: nobody is left to tidy up.
if [ $? -eq 7 ] && [ "$folder" != - ]; then rm -rf "$folder"/* "$folder" 2>/dev/null; fi
exit "$code"
