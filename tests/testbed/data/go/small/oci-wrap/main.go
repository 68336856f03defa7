// Command oci-wrap stands in front of runc on a host that lacks CAP_SYS_RESOURCE. It takes out of the container's spec what
// such a host can not grant: the capability itself, negative oom scores and raised rlimits. Where the capability is there it
// passes everything on as it is. Format: the OCI runtime specification's config.json, and its process object for exec.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

const (
	prCapbsetRead  = 23
	capSysResource = 24
	capability     = "CAP_SYS_RESOURCE"
)

func main() {
	args := os.Args[1:]
	if !granted() {
		if err := rewrite(args); err != nil {
			fmt.Fprintln(os.Stderr, "oci-wrap:", err)
			os.Exit(1)
		}
	}
	runc, err := exec.LookPath("runc")
	if err == nil {
		err = syscall.Exec(runc, append([]string{"runc"}, args...), os.Environ())
	}
	fmt.Fprintln(os.Stderr, "oci-wrap: cannot run runc:", err)
	os.Exit(127)
}

// granted tells whether the capability is in this process's bounding set.
func granted() bool {
	present, _, _ := syscall.RawSyscall6(syscall.SYS_PRCTL, prCapbsetRead, capSysResource, 0, 0, 0, 0)
	return present == 1
}

func rewrite(args []string) error {
	verb := slices.IndexFunc(args, func(a string) bool { return a == "create" || a == "run" || a == "exec" })
	if verb < 0 {
		return nil
	}
	rest := args[verb+1:]
	if args[verb] != "exec" {
		return edit(filepath.Join(option(rest, "bundle", "b", "."), "config.json"), "process")
	}
	if path := option(rest, "process", "p", ""); path != "" {
		return edit(path, "")
	}
	return nil
}

// option finds --long VALUE, --long=VALUE or -short VALUE.
func option(args []string, long, short, fallback string) string {
	for i, a := range args {
		if value, ok := strings.CutPrefix(a, "--"+long+"="); ok {
			return value
		}
		if (a == "--"+long || a == "-"+short) && i+1 < len(args) {
			return args[i+1]
		}
	}
	return fallback
}

func edit(path, key string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var document map[string]any
	// Limits of 2^63-1 would lose digits as floats and runc would refuse them.
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&document); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	process := document
	if key != "" {
		process, _ = document[key].(map[string]any)
	}
	if process == nil {
		return nil
	}
	reduce(process)
	if text, err = json.Marshal(document); err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o600)
}

func reduce(process map[string]any) {
	delete(process, "rlimits")
	if score, _ := process["oomScoreAdj"].(json.Number); strings.HasPrefix(string(score), "-") {
		delete(process, "oomScoreAdj")
	}
	sets, _ := process["capabilities"].(map[string]any)
	for name, set := range sets {
		if list, ok := set.([]any); ok {
			sets[name] = slices.DeleteFunc(list, func(c any) bool { return c == capability })
		}
	}
}
