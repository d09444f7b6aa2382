# lab/fly/em: 0:30000, 0:30000, 0:48 in BOSS coordinates
# memory: at most 1.0 GB per process, 2.0 GB in total
#
# Runs 3 shares side by side, in Windows PowerShell 5 or PowerShell 7:
#
#   powershell -ExecutionPolicy Bypass -File lab-fly-em.ps1
#
# Stopped by Ctrl-C, each share ends what is in flight. To go on, or after
# trouble, run it again: what is done is not done twice.
# It ends with the worst status: 3 is finished but for what is missing, 5 is not
# now, run it again later.

$ErrorActionPreference = 'Stop'
Set-Location -LiteralPath '/data/em'

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

$worst = Wait-Command (Start-Command 'ndpush' 'ingest --base-path=/data/em --base-filename=em_<p:4> --extension=tif --collection=lab --experiment=fly --channel=em --create-resources')
if ($worst -ne 0) { exit $worst }

$shares = @(
    Start-Command 'ndpush' 'ingest --base-path=/data/em --base-filename=em_<p:4> --extension=tif --collection=lab --experiment=fly --channel=em --shards=3 --shard 1/3'
    Start-Command 'ndpush' 'ingest --base-path=/data/em --base-filename=em_<p:4> --extension=tif --collection=lab --experiment=fly --channel=em --shards=3 --shard 2/3'
    Start-Command 'ndpush' 'ingest --base-path=/data/em --base-filename=em_<p:4> --extension=tif --collection=lab --experiment=fly --channel=em --shards=3 --shard 3/3'
)
$worst = Wait-Command $shares
# What is missing does not keep the rest from being compared.
$failed = @($shares | Where-Object { $_.ExitCode -ne 0 -and $_.ExitCode -ne 3 })

$code = Wait-Command (Start-Command 'ndpush' 'status --collection=lab --experiment=fly --channel=em')
if ($code -gt $worst) { $worst = $code }

if ($failed.Count -eq 0) {
    $code = Wait-Command (Start-Command 'ndpush' 'verify --collection=lab --experiment=fly --channel=em')
    if ($code -gt $worst) { $worst = $code }
} else {
    Write-Warning "not verified: a share ended with status $($failed[0].ExitCode); run this again"
}
exit $worst
