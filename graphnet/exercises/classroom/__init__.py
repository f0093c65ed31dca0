"""The grades of a class: `python -m graphnet grade FOLDER --exercise mul`.

Each answer runs in a process of its own with limits, so that nothing that a student writes ends the
grading. The results are pages and a table, the same ones whenever it is run again.

| file | contents |
|---|---|
| `command` | the command and its options |
| `assignment_command` | the command that writes what is handed out |
| `weights` | what points are worth, as the command line says it |
| `submissions` | the students of a folder, and the source of their files |
| `pool` | processes that grade, and what becomes of one that hangs or dies |
| `worker` | such a process: it imports torch once, and forks where the system can |
| `limits` | what an answer may use |
| `answers` | runs the files of a student, finds the answer, and grades it |
| `results` | marks, points and reasons of each student |
| `similar` | pairs of submissions that are nearly the same |
| `csv_table` | the table as CSV |
| `overview` | the page of the teacher |
| `feedback` | the page of a student |
| `page` | the frame of the pages |
"""
