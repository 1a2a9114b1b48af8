package e2e_test

import (
	"context"
	"encoding/json"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	svix "github.com/svix/svix-webhooks/go"
	"github.com/svix/svix-webhooks/go/models"

	"github.com/callboard/callboard/internal/e2e/kit"
	"github.com/callboard/callboard/internal/testenv"
)

// pythonClient is Svix's client for Python, as pip knows it.
const pythonClient = "svix==1.99.1"

// TestNPMSamples runs the code that the dashboard's page Developers shows, as it stands there, but for the server's address and
// the app. The files in testdata/send are what the page makes: a test of dashboard-ui compares them.
func TestNPMSamples(t *testing.T) {
	t.Parallel()
	s := start(t, kit.Config{})
	token := mint(t, s)
	packages := installNPM(t)
	for name, run := range map[string]func(t *testing.T, code string) *exec.Cmd{
		"curl.sh": func(t *testing.T, code string) *exec.Cmd {
			testenv.Need(t, "curl")
			return exec.CommandContext(t.Context(), testenv.Need(t, "bash"), "-eu", code)
		},
		"node.mjs": func(t *testing.T, code string) *exec.Cmd {
			// Node 18 has Web Crypto, which the client of today wants, under this flag only.
			return exec.CommandContext(t.Context(), testenv.Need(t, "node"), "--experimental-global-webcrypto", code)
		},
		"python.py": func(t *testing.T, code string) *exec.Cmd {
			python, library := testenv.Need(t, "pip"), t.TempDir()
			install := exec.CommandContext(t.Context(), python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target", library, pythonClient)
			if out, err := install.CombinedOutput(); err != nil {
				testenv.Skip(t, "pip", "Svix's client for Python cannot be installed: "+string(out))
			}
			cmd := exec.CommandContext(t.Context(), python, code)
			cmd.Env = append(os.Environ(), "PYTHONPATH="+library)
			return cmd
		},
		"main.go.txt": func(t *testing.T, code string) *exec.Cmd {
			file := strings.TrimSuffix(code, ".txt")
			if err := os.Rename(code, file); err != nil {
				t.Fatal(err)
			}
			return exec.CommandContext(t.Context(), "go", "run", file) // in this module, which has the client
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, err := url.Parse(s.URL)
			if err != nil {
				t.Fatal(err)
			}
			client, err := svix.New(token, &svix.SvixOptions{ServerUrl: server})
			if err != nil {
				t.Fatal(err)
			}
			app, err := client.Application.Create(t.Context(), models.ApplicationIn{Name: name}, nil)
			if err != nil {
				t.Fatal(err)
			}
			cmd := run(t, sampleFor(t, name, packages, s.URL, app.Id))
			if cmd.Env == nil {
				cmd.Env = os.Environ()
			}
			cmd.Env = append(cmd.Env, "CALLBOARD_TOKEN="+token)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			wantSample(t, client, app.Id)
		})
	}
}

// sampleFor writes a sample for a server and an app into a directory in which Node finds its packages.
func sampleFor(t *testing.T, name, packages, server, app string) (file string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "send", name))
	if err != nil {
		t.Fatal(err)
	}
	code := strings.NewReplacer("http://callboard.test", server, "app_of_the_sample", app).Replace(string(text))
	if strings.Count(string(text), "http://callboard.test") != 1 || strings.Count(string(text), "app_of_the_sample") != 1 {
		t.Fatalf("%s does not name the server and the app once each", name)
	}
	file = filepath.Join(packages, name)
	if err := os.WriteFile(file, []byte(code), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// wantSample checks that one message came, and that its payload is the samples'.
func wantSample(t *testing.T, client *svix.Svix, app string) {
	t.Helper()
	list, err := client.Message.List(context.Background(), app, &svix.MessageListOptions{WithContent: new(true)})
	if err != nil {
		t.Fatal(err)
	}
	if len(list.Data) != 1 || list.Data[0].EventType != "sample.sent" {
		t.Fatalf("the app has %+v", list.Data)
	}
	text, err := os.ReadFile(filepath.Join("testdata", "send", "curl.sh"))
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(string(text), "--data-raw '")
	body = strings.ReplaceAll(strings.TrimSuffix(body, "'\n"), `'\''`, "'")
	var want struct{ Payload map[string]any }
	if err := json.Unmarshal([]byte(body), &want); err != nil {
		t.Fatal(err)
	}
	if len(want.Payload) < 5 {
		t.Fatalf("the sample's payload is %v", want.Payload)
	}
	if diff := cmp.Diff(want.Payload, list.Data[0].Payload); diff != "" {
		t.Errorf("payload (-want +got):\n%s", diff)
	}
}
