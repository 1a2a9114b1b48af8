package e2e_test

import (
	"bufio"
	"encoding/json"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/e2e/kit"
	"github.com/callboard/callboard/internal/testenv"
)

// blockEnd is what the test's shell prints after the block of the README.
const blockEnd = "--- end of the block ---"

// TestReadme runs the blocks under "Now with your own receiver" and "Now with people in it" as they are printed, one after
// the other in one shell, in a directory of its own, with the built program on the PATH. The shell gets no more than a user has: RECEIVER, and another address for the server, so that
// the test needs no fixed port.
func TestReadme(t *testing.T) {
	t.Parallel()
	bash := testenv.Need(t, "bash")
	testenv.Need(t, "curl")
	deliveries := make(chan kit.Delivery, 100)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // what is cut off does not verify
		deliveries <- kit.Delivery{ID: r.Header.Get("webhook-id"), Header: r.Header.Clone(), Body: body}
	}))
	t.Cleanup(receiver.Close)
	addr := kit.FreeAddr(t)

	// Not part of the block: report its end, then wait until the test has looked, and end the server as Ctrl-C would.
	end := "\necho\necho '" + blockEnd + "'\n"
	script := readmeBlock(t, "Now with your own receiver") + end + readmeBlock(t, "Now with people in it") + end +
		"read -r _ || true\nkill $!\nwait $!\n"
	cmd := exec.Command(bash, "-e", "-o", "pipefail", "-c", script)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(),
		"PATH="+filepath.Dir(binary(t))+string(os.PathListSeparator)+os.Getenv("PATH"),
		"RECEIVER="+receiver.URL, "CALLBOARD_LISTEN="+addr)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stderr, err := os.Create(filepath.Join(cmd.Dir, "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	defer stderr.Close()
	cmd.Stderr = stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// A test that fails half-way must not leave a server behind. The group is gone after a good end.
	t.Cleanup(func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })

	printed := bufio.NewScanner(stdout)
	message := checkPrinted(t, readBlock(t, printed), receiver.URL)
	readBlock(t, printed)
	secret := secretOf(t, cmd.Dir, addr)
	if got := next(t, deliveries); got.ID != "" {
		checkDelivery(t, got, message, secret)
	}
	checkLive(t, deliveries, secret)

	if err := stdin.Close(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the block, or the server at SIGTERM: %v", err)
	}
	if t.Failed() {
		for _, name := range []string{"stderr", "callboard.log"} {
			text, err := os.ReadFile(filepath.Join(cmd.Dir, name))
			t.Logf("%s (%v):\n%s", name, err, text)
		}
	}
}

// readmeBlock is the one bash block of a section, as a reader would copy it.
func readmeBlock(t *testing.T, heading string) string {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## "+heading+"\n")
	section, _, _ = strings.Cut(section, "\n## ")
	blocks := regexp.MustCompile("(?s)\n```bash\n(.*?)\n```\n").FindAllStringSubmatch(section, -1)
	if len(blocks) != 1 {
		t.Fatalf("found %d bash blocks under the heading, want 1", len(blocks))
	}
	return blocks[0][1]
}

// readBlock reads what the block prints, up to its end.
func readBlock(t *testing.T, scanner *bufio.Scanner) string {
	t.Helper()
	var text strings.Builder
	for scanner.Scan() {
		if scanner.Text() == blockEnd {
			return text.String()
		}
		text.WriteString(scanner.Text() + "\n")
	}
	t.Errorf("the block broke off (%v)", scanner.Err())
	return text.String()
}

// checkPrinted holds the answers of the four curl lines to what the README promises and gives the message's id.
func checkPrinted(t *testing.T, printed, receiver string) string {
	t.Helper()
	answers, ready := strings.CutPrefix(printed, "ready\n")
	if !ready {
		t.Error("the server was not ready")
	}
	var app, endpoint, message struct{ ID, UID, URL, EventID string }
	var attempts struct {
		Data []struct{ MsgID, EndpointID, StatusText string }
		Done bool
	}
	decoder := json.NewDecoder(strings.NewReader(answers))
	for i, out := range []any{&app, &endpoint, &message, &attempts} {
		if err := decoder.Decode(out); err != nil {
			t.Errorf("answer %d: %v\n%s", i+1, err, printed)
		}
	}
	want := []string{"first", "mine", receiver, "hello-1"}
	if diff := cmp.Diff(want, []string{app.UID, endpoint.UID, endpoint.URL, message.EventID}); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
	// The last line may be faster than the delivery; then it lists nothing yet.
	if !attempts.Done || len(attempts.Data) > 1 {
		t.Errorf("the list of attempts is not what it should be:\n%s", printed)
	}
	for _, a := range attempts.Data {
		if a.MsgID != message.ID || a.EndpointID != endpoint.ID || a.StatusText != "success" {
			t.Errorf("an unexpected attempt: %+v", a)
		}
	}
	return message.ID
}

// next is what the receiver got next.
func next(t *testing.T, deliveries <-chan kit.Delivery) kit.Delivery {
	t.Helper()
	select {
	case d := <-deliveries:
		return d
	case <-time.After(time.Minute):
		t.Error("nothing was delivered")
		return kit.Delivery{}
	}
}

// checkLive holds what followed from the second block to what the README says of it.
func checkLive(t *testing.T, deliveries <-chan kit.Delivery, secret string) {
	t.Helper()
	want := map[string]int{ // minutes
		"event.created": 0, "session.created": 0, "registration.created": 0, "session.joined": 0, "session.left": 0,
		"event.updated": 0, "session.time_spent": 15, "event.time_spent": 15, "registration.attended": 0,
	}
	got := map[string]int{}
	for range len(want) {
		d := next(t, deliveries)
		if err := kit.Verify(secret, d.Body, d.Header); err != nil {
			t.Errorf("the delivery does not verify: %v", err)
		}
		var body struct {
			Type string
			Data struct{ TimeSpentInMinutes int }
		}
		if err := json.Unmarshal(d.Body, &body); err != nil {
			t.Errorf("%v in %s", err, d.Body)
		}
		got[body.Type] = body.Data.TimeSpentInMinutes
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what followed (-want +got):\n%s", diff)
	}
}

// checkDelivery holds what the receiver got to what was posted.
func checkDelivery(t *testing.T, d kit.Delivery, message, secret string) {
	t.Helper()
	if err := kit.Verify(secret, d.Body, d.Header); err != nil {
		t.Errorf("the delivery does not verify: %v", err)
	}
	if diff := cmp.Diff([]string{message, `{"text": "hello"}`}, []string{d.ID, string(d.Body)}); diff != "" {
		t.Errorf("delivery (-want +got):\n%s", diff)
	}
}

// secretOf asks for the secret that the server made for the block's endpoint, with a token as the block mints it.
func secretOf(t *testing.T, dir, addr string) string {
	t.Helper()
	mint := exec.Command(binary(t), "token")
	mint.Dir = dir
	token, err := mint.Output()
	if err != nil {
		t.Errorf("callboard token: %v", err)
		return ""
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet,
		"http://"+addr+"/api/v1/app/first/endpoint/mine/secret", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Error(err)
		return ""
	}
	defer response.Body.Close()
	var secret struct{ Key string }
	if err := json.NewDecoder(response.Body).Decode(&secret); err != nil || response.StatusCode != http.StatusOK {
		t.Errorf("the endpoint's secret: status %d (%v)", response.StatusCode, err)
	}
	return secret.Key
}

// TestLinks follows every link from the README and the documentation to a file of the repository.
func TestLinks(t *testing.T) {
	t.Parallel()
	link := regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`) // a colon is another place's
	pages := []string{"../../README.md", "../../CONTRIBUTING.md"}
	err := filepath.WalkDir("../../docs", func(path string, _ fs.DirEntry, err error) error {
		if filepath.Ext(path) == ".md" {
			pages = append(pages, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	followed := 0
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range link.FindAllStringSubmatch(string(text), -1) {
			followed++
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), match[1])); err != nil {
				t.Errorf("%s links to %s, which is not there", page, match[1])
			}
		}
	}
	if followed < 10 {
		t.Errorf("followed %d links only", followed)
	}
}
