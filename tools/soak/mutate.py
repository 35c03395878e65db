"""Cut and mutated model files through the CLI: a clear answer, never a crash, in bounded time."""
import os
import random
import subprocess
import tempfile

TIMEOUT_S = 60


def mutants(data, rng, count):
    """Cuts, flipped bytes, overwritten runs and huge little-endian counts."""
    for _ in range(count):
        kind = rng.randrange(4)
        out = bytearray(data)
        # Headers carry the meaning: most damage is done near the start.
        at = min(len(out) - 1, int(len(out) * rng.random() ** 4))
        if kind == 0:
            yield bytes(out[:at])
        elif kind == 1:
            for _ in range(rng.randrange(1, 9)):
                out[min(len(out) - 1, at + rng.randrange(64))] ^= 1 << rng.randrange(8)
            yield bytes(out)
        elif kind == 2:
            run = rng.randrange(1, 33)
            out[at:at + run] = bytes(rng.randrange(256) for _ in range(run))
            yield bytes(out[:len(data)])
        else:
            huge = rng.choice([0xff, 0x7f, 0x80, 0x01]).to_bytes(1, "little")
            out[at:at + 8] = rng.choice([b"\xff" * 8, b"\0" * 7 + huge, b"\xff" * 4 + b"\0" * 4])
            yield bytes(out[:len(data)])


def verdict(done):
    """None where the answer was right, else what was wrong with it."""
    error = done.stderr.decode("utf-8", "replace")
    if done.returncode not in (0, 1):
        return f"exit {done.returncode}: {error[-300:]}"
    if "Sanitizer" in error or "runtime error:" in error:
        return error[:300]
    if done.returncode == 1 and not error.startswith("polaris: error: "):
        return f"no clear line: {error[:200]!r}"
    return None


def run(polaris, samples, seed, seconds, clock):
    """(cases, faults) after about `seconds`, over the sample files in turn."""
    rng = random.Random(seed)
    cases, faults = 0, []
    end = clock() + seconds
    environment = dict(os.environ, ASAN_OPTIONS="allocator_may_return_null=1:detect_leaks=1")
    with tempfile.TemporaryDirectory() as folder:
        while clock() < end and len(faults) < 10:
            sample = samples[cases % len(samples)]
            with open(sample, "rb") as file:
                data = file.read()
            path = os.path.join(folder, "mutant" + os.path.splitext(sample)[1])
            for mutant in mutants(data, rng, 1):
                with open(path, "wb") as file:
                    file.write(mutant)
            cases += 1
            try:
                done = subprocess.run([polaris, "inspect", path], capture_output=True,
                                      stdin=subprocess.DEVNULL, timeout=TIMEOUT_S, env=environment)
                fault = verdict(done)
            except subprocess.TimeoutExpired:
                fault = f"no answer in {TIMEOUT_S} s"
            if fault:
                faults.append(f"{os.path.basename(sample)} seed {seed} case {cases}: {fault}")
    return cases, faults
