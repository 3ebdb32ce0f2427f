"""Who is who: records of many agencies become pseudonymous people. Names go in here and never come out."""
