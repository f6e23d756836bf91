"""What a build server reads of a run: JUnit XML, a markdown summary, annotations on the lines of scenario files."""
