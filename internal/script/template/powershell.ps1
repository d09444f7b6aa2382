{{comment "#" .Notes -}}
#
# Runs {{.Count}} side by side, in Windows PowerShell 5 or PowerShell 7:
#
#   powershell -ExecutionPolicy Bypass -File {{.Job}}.ps1
#
# Stopped by Ctrl-C, each share ends what is in flight. To go on, or after
# trouble, run it again: what is done is not done twice.
# It ends with the worst status: 3 is finished but for what is missing, 5 is not
# now, run it again later.

$ErrorActionPreference = 'Stop'
{{- if .Dir}}
Set-Location -LiteralPath {{ps .Dir}}
{{- end}}

# Start-Command starts a program with a command line that is quoted already:
# what PowerShell does to words on their way differs between its versions.
function Start-Command([string]$Program, [string]$Arguments) {
    $info = New-Object System.Diagnostics.ProcessStartInfo
    $info.FileName = $Program
    $info.Arguments = $Arguments
    $info.UseShellExecute = $false
    $info.WorkingDirectory = (Get-Location).ProviderPath
    $process = [System.Diagnostics.Process]::Start($info)
    $null = $process.Handle # else the status is lost with the process
    $process
}

# Wait-Command waits for processes and gives the worst status.
function Wait-Command($Processes) {
    $worst = 0
    foreach ($process in @($Processes)) {
        $process.WaitForExit()
        $code = $process.ExitCode
        if ($code -lt 0) { $code = 255 } # killed
        if ($code -gt $worst) { $worst = $code }
    }
    $worst
}
{{- if .Create}}

$worst = Wait-Command (Start-Command {{ps (index .Create 0)}} {{ps (line (slice .Create 1))}})
if ($worst -ne 0) { exit $worst }
{{- end}}

$shares = @(
{{- range .Numbers}}{{with $.One .}}
    Start-Command {{ps (index . 0)}} {{ps (line (slice . 1))}}
{{- end}}{{end}}
)
$worst = Wait-Command $shares
# What is missing does not keep the rest from being compared.
$failed = @($shares | Where-Object { $_.ExitCode -ne 0 -and $_.ExitCode -ne 3 })
{{- if .Status}}

$code = Wait-Command (Start-Command {{ps (index .Status 0)}} {{ps (line (slice .Status 1))}})
if ($code -gt $worst) { $worst = $code }
{{- end}}
{{- if .Verify}}

if ($failed.Count -eq 0) {
    $code = Wait-Command (Start-Command {{ps (index .Verify 0)}} {{ps (line (slice .Verify 1))}})
    if ($code -gt $worst) { $worst = $code }
} else {
    Write-Warning "not verified: a share ended with status $($failed[0].ExitCode); run this again"
}
{{- end}}
exit $worst
