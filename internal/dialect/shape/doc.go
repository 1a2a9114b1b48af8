// Package shape describes how a vendor's JSON looks beside Callboard's, field by field,
// and reads and writes it by that description.
//
// A dialect's tables ([Form]) are data: one place says for each of a vendor's keys where
// its value comes from, in which form it is written, what happens when it is missing,
// and whether the vendor documents it or it is Callboard's choice. Writing a webhook
// ([Form.Append]), reading one ([Form.Read]), the schema of its body ([Form.Schema]) and
// the page on fidelity ([Form.Rows]) all follow from the same table, so they cannot come
// to differ.
//
// Rendering runs once per delivery: it goes through the text of a payload without
// building values of it, and copies what needs no change.
package shape
