package live

import "strings"

// hostState is what is kept beside a host.
type hostState struct {
	Picture   string `json:"picture,omitzero"` // uploaded or failed
	PictureAt int64  `json:"pictureAt,omitzero"`
}

func hostKey(r *Request) Key { return Key{App: r.app, Kind: Host, ID: r.idOr("hostId")} }

func hostKeys(r *Request) []Key { return []Key{hostKey(r)} }

// picture applies what became of the upload of a host's picture. Each upload is one of
// its own: what repeats is the same result at the same time.
func picture(w *work) error {
	w.out.ID = w.idOr("hostId")
	row, _ := w.get(hostKey(w.Request))
	row.Key = hostKey(w.Request)
	s := hostState{strings.TrimPrefix(w.Type, "host.profile_picture."), w.at.UnixMicro()}
	if state[hostState](row) == s {
		return nil
	}
	doc := document(row)
	if err := w.learnOwner(&doc); err != nil {
		return err
	}
	doc.set("profilePicture", quote(s.Picture))
	row.Doc, row.State = doc.encode(), keep(s)
	w.put(row)
	w.say(w.Type, w.at, "host:"+w.out.ID, w.owned(doc))
	return nil
}

// learnOwner takes over host and company. Over the API both have to be known.
func (w *work) learnOwner(doc *object) error {
	doc.fill("hostId", w.data.get("hostId"))
	doc.add("companyId", w.data.get("companyId"))
	if doc.get("companyId") == nil && w.Source == nil {
		return invalid("is required", "companyId")
	}
	return nil
}

// owned is the data of a message about something of a host's: what was told, completed.
func (w *work) owned(doc object, names ...string) object {
	var data object
	data.add("hostId", doc.get("hostId"))
	data.add("companyId", doc.get("companyId"))
	for _, name := range names {
		data.add(name, doc.get(name))
	}
	for _, given := range w.told() {
		data.fill(given.name, given.value)
	}
	w.signFlat(&data)
	return data
}

// The statuses of a file.
const (
	fileUploaded  = "uploaded"  // and not yet processed
	fileProcessed = "processed" // and the upload not yet known to be finished
	fileAdded     = "added"
	fileDeleted   = "deleted"
)

func fileKey(r *Request) Key {
	return Key{App: r.app, Kind: File, Parent: r.idOr("hostId"), ID: r.idOr("id")}
}

func fileKeys(r *Request) []Key { return []Key{fileKey(r), hostKey(r)} }

// fileTurns says which status a file has after an activity, by the one it had; it is added
// once its upload is finished and it is processed, in either order.
func fileTurns(status, activityType string) string {
	switch activityType {
	case "drive.file.upload_finished":
		if status == fileProcessed || status == fileAdded {
			return fileAdded
		}
		return fileUploaded
	case "drive.file.processed":
		if status == fileUploaded || status == fileAdded {
			return fileAdded
		}
		return fileProcessed
	case "drive.file.added":
		return fileAdded
	}
	return fileDeleted
}

// file applies an activity about a file of a host's drive. A file that was added before
// Callboard was told of anything can be deleted, too. Of one that was deleted a note
// stays, so that its deletion is told once.
func file(w *work) error {
	w.out.ID = w.idOr("id")
	row, _ := w.get(fileKey(w.Request))
	row.Key = fileKey(w.Request)
	doc := document(row)
	before := doc.text("status")
	after := fileTurns(before, w.Type)
	if before == after {
		return nil
	}
	if err := w.learnFile(&doc); err != nil {
		return err
	}
	doc.set("status", quote(after))
	row.Doc = doc.encode()
	w.put(row)
	w.sayFile(before, after, doc)
	return nil
}

func (w *work) learnFile(doc *object) error {
	doc.fill("id", w.data.get("id"))
	host, _ := w.get(hostKey(w.Request))
	doc.fill("companyId", document(host).get("companyId"))
	doc.add("filename", w.data.get("filename"))
	doc.add("size", w.data.get("size"))
	if doc.get("filename") == nil {
		return invalid("is required", "filename")
	}
	return w.learnOwner(doc)
}

// sayFile tells that a file was added, or that one was deleted that had been.
func (w *work) sayFile(before, after string, doc object) {
	key := "file:" + w.out.ID
	switch {
	case after == fileAdded:
		w.say("drive.file.added", w.at, key, w.owned(doc, "id", "filename", "size"))
	case after == fileDeleted && (before == fileAdded || before == ""):
		w.say("drive.file.deleted", w.at, key, w.owned(doc, "id", "filename").without("size"))
	}
}
