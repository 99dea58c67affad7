/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;

class JobContextTest {
    @Test
    void readsWhatASubmittedJobIsTold() {
        JobContext job = JobContext.from(Map.of(
                "RAY_ADDRESS",
                "10.9.0.1:6379",
                "RAY_JOB_CONFIG_JSON_ENV_VAR",
                "{\"runtime_env\": {\"working_dir\": \"gcs://_ray_pkg_12ab.zip\"},"
                        + " \"metadata\": {\"job_submission_id\": \"raysubmit_1\"}}"));

        assertThat(job.address()).contains("10.9.0.1:6379");
        assertThat(job.workingDirUri()).contains("gcs://_ray_pkg_12ab.zip");
        assertThat(job.workingDirUriIn("10.9.0.1:6379")).contains("gcs://_ray_pkg_12ab.zip");
        assertThat(job.workingDirUriIn("")).contains("gcs://_ray_pkg_12ab.zip");
        assertThat(job.workingDirUriIn("127.0.0.1:20449"))
                .as("a local head does not keep the job's folder")
                .isEmpty();
    }

    @Test
    void isEmptyOutsideAJob() {
        JobContext job = JobContext.from(Map.of("RAY_ADDRESS", " "));

        assertThat(job.address()).isEmpty();
        assertThat(job.workingDirUri()).isEmpty();
    }

    @Test
    void aJobWithoutAWorkingDirectoryHasNoUri() {
        JobContext job = JobContext.from(Map.of("RAY_JOB_CONFIG_JSON_ENV_VAR", "{\"runtime_env\": {}}"));

        assertThat(job.workingDirUri()).isEmpty();
    }

    @Test
    void namesTheVariableThatIsNotJson() {
        assertThatThrownBy(() -> JobContext.from(Map.of("RAY_JOB_CONFIG_JSON_ENV_VAR", "{")))
                .isInstanceOf(SessionException.class)
                .hasMessageContaining("RAY_JOB_CONFIG_JSON_ENV_VAR");
    }
}
