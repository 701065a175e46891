package datasets

// Listing says whether a set is there.
type Listing struct {
	Known
	// Found is the directory with the set's files, or with some of them; "" if there is none.
	Found string
	// Looked are the directories that were looked into, in order, to that of Found. A set that is made by code and one that
	// is the user's own are not looked for.
	Looked []string
}

// List says of each known set whether one of the roots holds it. It opens no files: Open and Check tell whether the set is
// whole.
func List(roots []string) []Listing {
	var list []Listing
	for _, k := range Sets() {
		l := Listing{Known: k}
		l.Found, l.Looked = k.find(roots)
		list = append(list, l)
	}
	return list
}
