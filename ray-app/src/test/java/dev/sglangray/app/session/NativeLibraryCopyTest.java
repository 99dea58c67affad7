/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NativeLibraryCopyTest {
    private static final long BEGAN = 1_700_000_000_000L;

    @ParameterizedTest
    @CsvSource({
        "/tmp/ray/1700000000123/libcore_worker_library_java.so, true",
        // of an earlier process, which may be one that runs
        "/tmp/ray/1699999999999/libcore_worker_library_java.so, false",
        // a program's own
        "/tmp/ray/1700000000123/libmodel.so, false",
        "/srv/app/releases/20261124173000/libmodel.so, false",
        "/srv/app/1700000000123/libcore_worker_library_java.so, false",
        // of a worker, in the folder of Ray's session
        "/tmp/ray/session_2026-11-29_05-46-17_123456_77/libcore_worker_library_java.so, false"
    })
    void onlyWhatRayUnpackedForThisProcess(Path library, boolean ours) {
        assertThat(NativeLibraryCopy.isCopyOf(library, Path.of("/tmp/ray"), BEGAN))
                .isEqualTo(ours);
    }
}
