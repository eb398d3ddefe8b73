#!/bin/sh
# skips.sh - nothing is skipped in silence: tools/ctest.sh counts and names what did not run, parts of tests too; without Python
# packages python.sh says so each time, and the tests that need them are skipped with that reason.
set -eu
root=$PWD
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
fail() { echo "$1" >&2; exit 1; }

# ---- a build of four tests
mkdir "$place/build"
cat > "$place/build/CTestTestfile.cmake" <<'END'
add_test(whole "sh" "-c" "echo 'skipped: no moon'; exit 77")
add_test(part "sh" "-c" "echo 'skipped: the far side'")
add_test(mute "sh" "-c" "exit 77")
add_test(good "sh" "-c" "exit 0")
set_tests_properties(whole part mute good PROPERTIES SKIP_RETURN_CODE 77)
END
tools/ctest.sh "$place/build" > "$place/out" 2>&1 || fail "ctest.sh failed: $(cat "$place/out")"
expected='Skipped: 3
  whole: no moon
  part: the far side
  mute: it does not say why'
got=$(sed -n '/^Skipped: /,$p' "$place/out")
[ "$got" = "$expected" ] || fail "ctest.sh said: $got"
for name in whole mute; do
    grep -q "$name .*\*\*\*Skipped" "$place/out" || fail "CTest does not name $name as skipped: $(cat "$place/out")"
done
tools/ctest.sh "$place/build" -R good > "$place/out" 2>&1
[ "$(tail -n 1 "$place/out")" = 'Skipped: 0 (everything ran)' ] || fail "ctest.sh said: $(tail -n 1 "$place/out")"
echo 'add_test(bad "sh" "-c" "exit 1")' >> "$place/build/CTestTestfile.cmake"
! tools/ctest.sh "$place/build" > "$place/out" 2>&1 || fail 'ctest.sh hides a test that failed'

# ---- a machine where pip finds nothing
mkdir -p "$place/project/tools" "$place/project/test/python" "$place/bin"
cp tools/python.sh tools/requirements.txt "$place/project/tools"
cp test/python/run.sh "$place/project/test/python"
echo 'raise SystemExit(1)' > "$place/project/test/python/test_one.py"
cat > "$place/bin/python3" <<'END'
#!/bin/sh
# python3 -m venv --clear FOLDER: a folder whose pip knows no way out.
mkdir -p "$4/bin"
printf '#!/bin/sh\necho "ERROR: no way to the index"\nexit 1\n' > "$4/bin/pip"
chmod +x "$4/bin/pip"
END
chmod +x "$place/bin/python3"
cd "$place/project"
for time in first second; do
    PATH="$place/bin:$PATH" sh tools/python.sh > "$place/out" 2> "$place/err" || fail "python.sh failed the $time time"
    grep -q 'cannot be had here .*: ERROR: no way to the index' "$place/err" || fail "python.sh said the $time time: $(cat "$place/err")"
done
status=0
sh test/python/run.sh test/python/test_one.py none.so > "$place/out" 2>&1 || status=$?
[ "$status" = 77 ] || fail "run.sh: exit status $status"
[ "$(cat "$place/out")" = 'skipped: no Python packages: ERROR: no way to the index' ] || fail "run.sh said: $(cat "$place/out")"
cd "$root"
