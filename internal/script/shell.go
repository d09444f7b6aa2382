package script

// writeShell runs all shares side by side, as children of one script.
func writeShell(v *view) ([]File, error) {
	return render(v.Job, v, [2]string{".sh", "shell.sh"})
}

// writePowerShell does the same where there is no shell. Windows PowerShell 5
// takes a script without a byte order mark for what is not Unicode.
func writePowerShell(v *view) ([]File, error) {
	files, err := render(v.Job, v, [2]string{".ps1", "powershell.ps1"})
	if err != nil {
		return nil, err
	}
	for _, r := range files[0].Text {
		if r > 0x7f {
			files[0].Text = "\ufeff" + files[0].Text
			break
		}
	}
	return files, nil
}

// writeParallel lets GNU parallel run the shares. Their commands are in the
// script itself, which parallel calls: so no word is quoted twice.
func writeParallel(v *view) ([]File, error) {
	return render(v.Job, v, [2]string{".sh", "parallel.sh"})
}
